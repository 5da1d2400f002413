import { parseDeviceVersion } from '../../../release-format/release-version.ts';
import { isoTime } from '../../platform/clock.ts';
import type { HwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { AuditEntry } from '../audit/audit.ts';
import { DEFAULT_BOARD, type Device, type DeviceStatus, type Metadata, serialOf } from '../device/device.ts';
import type { FleetStore } from '../device/store.ts';
import { type ClaimCode, createClaimCode, hashClaimCode } from '../ownership/claim-code.ts';
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

/**
 * Gives a device its serial, once: repeated, or asked by two stations at the same time, it is the same serial.
 * A number may be skipped when two stations race; none is ever given twice.
 */
export async function provisionDevice(
  store: FleetStore,
  { randomness }: Pick<Services, 'randomness'>,
  request: ProvisionRequest,
  now: number,
): Promise<ProvisionOutcome> {
  const { hwId, status, metadata, publicKey, station } = request;
  const known = await store.readDevice(hwId);
  if (known !== undefined) return { outcome: 'known', device: known };

  const code = createClaimCode(randomness);
  const [serialNumber, claimCode] = await Promise.all([store.takeSerialNumber(), hashClaimCode(code, randomness)]);
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
    transfer: null,
    metadata,
    publicKey,
    board: textOf(metadata, 'board')?.toLowerCase() ?? DEFAULT_BOARD,
    batch: textOf(metadata, 'batch') ?? null,
    firmware: firmware === undefined ? null : { version: firmware, seenAt: time },
    formerOwner: null,
    replacedBy: null,
    revision: 1,
  };
  const entry: AuditEntry = {
    action: 'provision',
    actor: { kind: 'factory', station },
    reason: undefined,
    before: null,
    after: { state: status, owner: null },
    facts: { serial: device.serial },
  };
  if (await store.putNewDevice(device, entry)) return { outcome: 'created', device, claimCode: code };
  const first = await store.readDevice(hwId);
  if (first === undefined) throw new Error('a device that refused to be created is not there');
  // The SDK tries again when an answer is lost: then what stands in the way is our own work, and its code is not told yet.
  if (first.claimCode?.hash === claimCode.hash) return { outcome: 'created', device: first, claimCode: code };
  return { outcome: 'known', device: first };
}

/** What the factory says of a device by which the fleet is looked at: only what can stand in an index and a count. */
function textOf(metadata: Metadata, name: 'board' | 'batch'): string | undefined {
  const value = metadata[name];
  return typeof value === 'string' && isIndexable(value) ? value : undefined;
}
