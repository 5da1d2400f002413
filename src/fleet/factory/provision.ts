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
 * Gives a device its serial, once. A repeated call, or a second station at the same time, gets the same serial. The
 * device is stored without a look whether it is there: the condition of that write decides. The number taken for one
 * that was there is kept for the next device. A number may be skipped when a container ends; none is given twice.
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
  const code = createClaimCode(services.randomness);
  const made = { code, claimCode: await services.codes.hash(code, { purpose: 'claim', hwId }) };
  const serialNumber = await store.serialNumbers.take();
  if (serialNumber === undefined) {
    const known = await store.readDevice(hwId);
    return known === undefined ? { outcome: 'serials_exhausted' } : again(store, services, known, made);
  }
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
    claimCode: made.claimCode,
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
  const known = await store.putNewDevice(device);
  if (known === undefined) return tell(store, services, device, made);
  // The SDK retries when an answer is lost. The conflicting device is then our own, and its code was not sent yet.
  if (known.claimCode?.hash === made.claimCode.hash) return tell(store, services, known, made);
  store.serialNumbers.giveBack(serialNumber);
  return again(store, services, known, made);
}

interface NewCode {
  readonly code: ClaimCode;
  readonly claimCode: HashedCode;
}

/** Another call for a device that is stored already. */
async function again(store: FleetStore, services: Needed, known: Device, made: NewCode): Promise<ProvisionOutcome> {
  return isCodeOwed(known) ? takeOver(store, services, known, made) : { outcome: 'known', device: known };
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
