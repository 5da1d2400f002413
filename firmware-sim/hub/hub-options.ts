import type { OpenSocket } from '@autowatering/relay-client';
import type { LeasedCommand } from '../carrying/command-client.ts';
import type { UploadProgress } from '../phone/image-upload.ts';
import type { SigningKeys } from '../phone/signed-answer.ts';
import type { UpdatePhase } from '../phone/update-device.ts';
import type { DeviceInRange } from './device-in-range.ts';
import type { CarriedCommand } from './hub-errands.ts';
import type { HubMemory } from './hub-memory.ts';

export interface HubOptions {
  readonly memory: HubMemory;
  readonly devices: readonly DeviceInRange[];
  /** The keys that the hub shipped with, by which the backend signs its answers. */
  readonly signingKeys: SigningKeys;
  /** Default: the platform's WebSocket, which Node has since 22. */
  readonly openSocket?: OpenSocket;
  readonly fetch?: typeof fetch;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
  readonly onState?: (state: HubState) => void;
  readonly onPhase?: (serial: string, phase: UpdatePhase) => void;
  readonly onProgress?: (serial: string, progress: UploadProgress) => void;
  /** A device has accepted the writes of a command; whether it does it is seen later. */
  readonly onWritten?: (command: LeasedCommand) => void;
  readonly onCarried?: (carried: CarriedCommand) => void;
  readonly onSynced?: (synced: HubSynced) => void;
}

export type HubState =
  /** Nobody has registered it yet. */
  | 'unowned'
  | 'offline'
  | 'online'
  /** Its owner removed it, or the account is gone: it has forgotten its key. */
  | 'revoked'
  /** It does not trust the server, or its key is in use elsewhere. */
  | 'refused'
  | 'off';

/** What a hub read of a garden. */
export interface HubSynced {
  readonly serial: string;
  readonly rowBytes: number;
  readonly sessions: number;
  readonly failures: readonly string[];
}
