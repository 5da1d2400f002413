import { parseDeviceVersion } from '@autowatering/release-format';
import { isoTime } from '../../platform/clock.ts';
import type { HwId } from '../../platform/ids.ts';
import { DependencyUnavailableError } from '../../platform/resilience/dependency.ts';
import type { Services } from '../../platform/services.ts';
import {
  DEFAULT_BOARD,
  type Device,
  type DeviceStatus,
  type HashedCode,
  type Metadata,
  serialOf,
} from '../device/device.ts';
import type { FleetStore } from '../device/store.ts';
import { type ClaimCode, createClaimCode } from '../ownership/claim-code.ts';
import type { CodeHashes } from '../ownership/code-hashes.ts';
import { isIndexable } from '../reconcile/firmware-seen.ts';

export interface ProvisionRequest {
  readonly hwId: HwId;
  readonly status: Exclude<DeviceStatus, 'revoked'>;
  readonly metadata: Metadata;
  readonly publicKey: string | null;
  readonly station: string;
}

export type ProvisionOutcome =
  | { readonly outcome: 'created'; readonly device: Device; readonly claimCode: ClaimCode }
  | { readonly outcome: 'known'; readonly device: Device }
  | { readonly outcome: 'serials_exhausted' };

type Needed = Pick<Services, 'randomness' | 'log'> & { readonly codes: CodeHashes };

/**
 * Gives a device its serial, once: repeated, or asked by two stations at the same time, it is the same serial.
 * A number may be skipped when two stations race; none is ever given twice.
 *
 * A device is stored with a mark that its claim code is not told yet, which goes just before the answer does. Where a
 * failure came in between, the mark is still there, and whoever asks next gets a code in place of the one nobody knows.
 */
export async function provisionDevice(
  store: FleetStore,
  services: Needed,
  request: ProvisionRequest,
  now: number,
): Promise<ProvisionOutcome> {
  const { hwId, status, metadata, publicKey, station } = request;
  // To miss a device that was stored a moment ago costs a number, and nothing else: storing it again is refused.
  const known = await store.readDevice(hwId, { mayBeStale: true });
  if (known !== undefined && !isCodeOwed(known)) return { outcome: 'known', device: known };

  const code = createClaimCode(services.randomness);
  const claimCode = await services.codes.hash(code, { purpose: 'claim', hwId });
  if (known !== undefined) return takeOver(store, services, known, { code, claimCode });
  const serialNumber = await store.takeSerialNumber();
  if (serialNumber === undefined) return { outcome: 'serials_exhausted' };
  const time = isoTime(now);
  const { firmware_version: firmwareText } = metadata;
  const firmware = typeof firmwareText === 'string' ? parseDeviceVersion(firmwareText) : undefined;
  const device: Device = {
    hwId,
    serial: serialOf(serialNumber),
    serialNumber,
    status,
    createdAt: time,
    updatedAt: time,
    owner: null,
    claimCode,
    isCodeUntold: true,
    uncountedStation: station,
    transfer: null,
    metadata,
    publicKey,
    board: textOf(metadata, 'board')?.toLowerCase() ?? DEFAULT_BOARD,
    batch: textOf(metadata, 'batch') ?? null,
    firmware: firmware === undefined ? null : { version: firmware, seenAt: time, changesThatDay: 0 },
    formerOwner: null,
    replacedBy: null,
    revision: 1,
  };
  if (await store.putNewDevice(device)) return tell(store, services, device, { code, claimCode });
  const first = await store.readDevice(hwId);
  if (first === undefined) throw new Error('a device that refused to be created is not there');
  // The SDK tries again when an answer is lost: then what stands in the way is our own work, and its code is not told yet.
  if (first.claimCode?.hash === claimCode.hash) return tell(store, services, first, { code, claimCode });
  if (!isCodeOwed(first)) return { outcome: 'known', device: first };
  return takeOver(store, services, first, { code, claimCode });
}

interface NewCode {
  readonly code: ClaimCode;
  readonly claimCode: HashedCode;
}

/** Whether nobody knows the device's claim code, and somebody still has to. */
function isCodeOwed({ isCodeUntold, owner, status }: Device): boolean {
  return isCodeUntold && owner === null && status !== 'revoked';
}

/** Completes what another request has begun. If that one is still under way, one of the two will tell its code. */
async function takeOver(store: FleetStore, services: Needed, device: Device, made: NewCode): Promise<ProvisionOutcome> {
  if (await store.replaceUntoldCode(device, made.claimCode)) return tell(store, services, device, made);
  const now = (await store.readDevice(device.hwId)) ?? device;
  // Our own work, of which the answer was lost on its way back to the SDK.
  if (now.claimCode?.hash === made.claimCode.hash) return tell(store, services, now, made);
  return { outcome: 'known', device: now };
}

async function tell(store: FleetStore, { log }: Needed, device: Device, made: NewCode): Promise<ProvisionOutcome> {
  const telling = async () =>
    (await store.complete(device, made.claimCode)) || (await store.markCodeTold(device.hwId, made.claimCode));
  const isOurs = await telling().catch((error: unknown) => {
    if (!(error instanceof DependencyUnavailableError)) throw error;
    // The device has this code. At worst the mark is still there, and asked once more the factory gets another one.
    log.warn('It could not be noted that a claim code was told', { serial: device.serial }, error);
    return true;
  });
  return isOurs ? { outcome: 'created', device, claimCode: made.code } : { outcome: 'known', device };
}

/** What the factory says of a device by which the fleet is looked at: only what can stand in an index and a count. */
function textOf(metadata: Metadata, name: 'board' | 'batch'): string | undefined {
  const value = metadata[name];
  return typeof value === 'string' && isIndexable(value) ? value : undefined;
}
