import {
  createRelayClient,
  type OpenSocket,
  type PeerKey,
  peerTokens,
  type RelayClient,
  RelayError,
  systemClock,
} from '@autowatering/relay-client';
import { type CommandClient, commandClient } from '../carrying/command-client.ts';
import { BackendError, backendClient, type WholeBackendClient } from '../phone/backend-client.ts';
import type { SigningKeys } from '../phone/signed-answer.ts';
import { type TelemetryClient, telemetryClient } from '../sync/telemetry-client.ts';
import type { HubPeer, KeptRecord } from './hub-memory.ts';
import { hubOutbox, hubPins } from './hub-outbox.ts';

/** What a hub that has an owner calls, all by the one key that it has. */
export interface HubClients {
  readonly relay: RelayClient;
  readonly backend: WholeBackendClient;
  readonly commands: CommandClient;
  readonly telemetry: TelemetryClient;
}

export interface HubClientOptions {
  readonly peer: HubPeer;
  readonly key: PeerKey;
  readonly record: KeptRecord;
  readonly signingKeys: SigningKeys;
  readonly openSocket?: OpenSocket | undefined;
  readonly fetch?: typeof fetch | undefined;
  /** The hub's own clock, in milliseconds since 1970. */
  readonly clock: () => number;
  /** The same, corrected by the server once it is known. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** The backend refused a token because there is no owner any more. */
  readonly onOwnerless: () => void;
}

const OWNERLESS: readonly string[] = ['revoked', 'account_deleted', 'unknown_peer', 'token_refused'];

/** Whether the backend says by this code that the hub has no owner any more. */
export function saysOwnerless(code: string): boolean {
  return OWNERLESS.includes(code);
}

export function hubClients(options: HubClientOptions): HubClients {
  const { peer, key, record, signingKeys, openSocket, fetch: send = fetch, now, signal } = options;
  const { peerId, apiUrl } = peer;
  const tokens = peerTokens({ apiUrl, peerId, key, fetch: send, now });
  const relay = createRelayClient({
    ...{ url: peer.relayUrl, apiUrl, peerId, key, tokens, fetch: send, clock: { ...systemClock, now: options.clock } },
    serverKeys: hubPins(record),
    outbox: hubOutbox(record),
    ...(openSocket && { openSocket }),
  });
  const calls = {
    ...{ apiBaseUrl: apiUrl, fetch: send, signal },
    idToken: async (how: { readonly refresh: boolean }) => {
      try {
        return await tokens(how);
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        if (saysOwnerless(error.code)) options.onOwnerless();
        throw new BackendError(error.message, { cause: error });
      }
    },
  };
  return {
    relay,
    backend: backendClient({ ...calls, signingKeys, now }),
    commands: commandClient(calls),
    telemetry: telemetryClient(calls),
  };
}
