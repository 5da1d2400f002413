import type { TrustedKey } from '@autowatering/release-format';
import type { BootloaderOptions } from '../bootloader/bootloader.ts';
import type { UpgradeMode } from '../bootloader/upgrade-mode.ts';
import type { FlashMap } from '../flash/layout.ts';
import type { Garden } from '../garden/garden.ts';
import type { CborLengths } from '../smp/cbor.ts';
import type { DeviceIdentity } from '../smp/identity-group.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { ApplicationModel } from './application.ts';

export interface DeviceOptions {
  /** The image that the factory flashed into slot 0. */
  readonly firmware: Uint8Array;
  /** The keys its bootloader trusts. */
  readonly keys: readonly TrustedKey[];
  /** How its bootloader installs images. Default: swap using move. */
  readonly mode?: UpgradeMode;
  readonly preventDowngrade?: BootloaderOptions['preventDowngrade'];
  readonly checksDependencies?: boolean;
  /** Whether its bootloader keeps a security counter, which starts at 0. */
  readonly keepsSecurityCounter?: boolean;
  /** What each firmware does once it runs. */
  readonly application?: ApplicationModel;
  /** `MCUMGR_TRANSPORT_NETBUF_SIZE`, and the number of buffers: at least two. */
  readonly bufferBytes?: number;
  readonly bufferCount?: number;
  /** Without it, each BLE write must be a whole packet. */
  readonly reassembles?: boolean;
  /** How its answers are encoded. Default: `definite`, like the product's firmware. */
  readonly cbor?: CborLengths;
  readonly board?: string;
  /** Its chip's id and signing key. Devices of the first batches have none. */
  readonly identity?: DeviceIdentity;
  /** Whether a reset would interrupt something, such as watering. A reset must then be forced. */
  readonly isBusy?: () => boolean;
  /** The garden that it waters. Its time follows the device's, from the garden's own beginning. */
  readonly garden?: Garden;
  readonly time?: Scheduler;
  readonly flash?: FlashMap;
}

/** Configuration of the product's firmware (facts sheet, G5 and H1). */
export const DEFAULT_BUFFER_BYTES = 2475;
export const DEFAULT_BUFFER_COUNT = 4;
export const DEFAULT_BOARD = 'arduino_nano_33_ble';
