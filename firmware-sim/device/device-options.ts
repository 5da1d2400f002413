import type { TrustedKey } from '@autowatering/release-format';
import type { BootloaderOptions } from '../bootloader/bootloader.ts';
import type { UpgradeMode } from '../bootloader/upgrade-mode.ts';
import type { FlashMap } from '../flash/layout.ts';
import type { CborLengths } from '../smp/cbor.ts';
import type { DeviceIdentity } from '../smp/identity-group.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { ApplicationModel } from './application.ts';

export interface DeviceOptions {
  /** The image that the factory programmed into slot 0. */
  readonly firmware: Uint8Array;
  /** The keys that its bootloader trusts. */
  readonly keys: readonly TrustedKey[];
  /** How its bootloader installs an image; swap using move unless told otherwise. */
  readonly mode?: UpgradeMode;
  readonly preventDowngrade?: BootloaderOptions['preventDowngrade'];
  readonly checksDependencies?: boolean;
  /** Whether its bootloader keeps a security counter, which starts at 0. */
  readonly keepsSecurityCounter?: boolean;
  /** What each firmware does once it runs. */
  readonly application?: ApplicationModel;
  /** `MCUMGR_TRANSPORT_NETBUF_SIZE`, and how many of them; two at least. */
  readonly bufferBytes?: number;
  readonly bufferCount?: number;
  /** Without it, each write over BLE must be a whole packet. */
  readonly reassembles?: boolean;
  /** How its answers are encoded; `definite`, as the product's firmware is built, unless told otherwise. */
  readonly cbor?: CborLengths;
  readonly board?: string;
  /** What it signs with; without one it has no key, as devices of the first batches. */
  readonly identity?: DeviceIdentity;
  /** Whether it is at something that a reset would spoil, as watering; then a reset must be forced. */
  readonly isBusy?: () => boolean;
  readonly time?: Scheduler;
  readonly flash?: FlashMap;
}

/** What the product's firmware is configured with (facts sheet, G5 and H1). */
export const DEFAULT_BUFFER_BYTES = 2475;
export const DEFAULT_BUFFER_COUNT = 4;
export const DEFAULT_BOARD = 'arduino_nano_33_ble';
