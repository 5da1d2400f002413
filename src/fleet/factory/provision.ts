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
 * Gives a device its serial, once. A repeated call, or a second station at the same time, gets the same serial. A
 * number may be skipped when two stations race; none is given twice.
 *
 * A new device has two marks: its claim code was not sent yet, and it is not in the counts and the audit. Both are
 * removed just before the answer is sent. After a failure in between they are still set; the next call replaces the
 * code that nobody knows and finishes the rest.
 */
export async function provisionDevice(
  store: FleetStore,
  services: Needed,
  request: ProvisionRequest,
  now: number,
): Promise<ProvisionOutcome> {
  const { hwId, status, metadata, publicKey, station } = request;
  // Missing a device stored a moment ago only costs a number: storing it again is refused.
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
  // The SDK retries when an answer is lost. The conflicting device is then our own, and its code was not sent yet.
  if (first.claimCode?.hash === claimCode.hash) return tell(store, services, first, { code, claimCode });
  if (!isCodeOwed(first)) return { outcome: 'known', device: first };
  return takeOver(store, services, first, { code, claimCode });
}

interface NewCode {
  readonly code: ClaimCode;
  readonly claimCode: HashedCode;
}

/** Whether nobody knows the device's claim code although somebody still needs it. */
function isCodeOwed({ isCodeUntold, owner, status }: Device): boolean {
  return isCodeUntold && owner === null && status !== 'revoked';
}

/** Finishes what another request began. If that one is still running, exactly one of the two sends its code. */
async function takeOver(store: FleetStore, services: Needed, device: Device, made: NewCode): Promise<ProvisionOutcome> {
  if (await store.replaceUntoldCode(device, made.claimCode)) return tell(store, services, device, made);
  const now = (await store.readDevice(device.hwId)) ?? device;
  // Our own write, whose answer to the SDK was lost.
  if (now.claimCode?.hash === made.claimCode.hash) return tell(store, services, now, made);
  return { outcome: 'known', device: now };
}

async function tell(store: FleetStore, { log }: Needed, device: Device, made: NewCode): Promise<ProvisionOutcome> {
  const telling = async () =>
    (await store.complete(device, made.claimCode)) || (await store.markCodeTold(device.hwId, made.claimCode));
  const isOurs = await telling().catch((error: unknown) => {
    if (!(error instanceof DependencyUnavailableError)) throw error;
    // The device has this code. At worst the marks are still set; another call then gets a new code and counts the
    // device.
    log.warn('Could not record that a claim code was sent', { serial: device.serial }, error);
    return true;
  });
  return isOurs ? { outcome: 'created', device, claimCode: made.code } : { outcome: 'known', device };
}

/** Metadata for listing and counting the fleet, if it can be part of an index. */
function textOf(metadata: Metadata, name: 'board' | 'batch'): string | undefined {
  const value = metadata[name];
  return typeof value === 'string' && isIndexable(value) ? value : undefined;
}
