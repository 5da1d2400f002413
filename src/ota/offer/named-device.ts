import type { Device, FleetDevices } from '../../fleet/index.ts';
import { isOrWasTheirs } from '../../fleet/index.ts';
import { type Caller, isPersonal } from '../../http/caller.ts';
import { ApiError } from '../../http/errors.ts';
import type { HwId, Serial, Uid } from '../../platform/ids.ts';
import type { TargetDevice } from './eligibility.ts';

/** How a request names a device: by serial or hardware id. */
export interface NamedDevice {
  readonly serial?: Serial | undefined;
  readonly hw_id?: HwId | undefined;
}

export function namesDevice({ serial, hw_id: hwId }: NamedDevice): boolean {
  return serial !== undefined || hwId !== undefined;
}

/** The device as the fleet knows it. */
export async function findNamed(fleet: FleetDevices, named: NamedDevice): Promise<Device | undefined> {
  return namesDevice(named) ? fleet.find({ hwId: named.hw_id, serial: named.serial }) : undefined;
}

/**
 * The device, as far as the caller may know it. A serial is one of only a million, so to strangers every serial counts
 * as unknown. A hardware id is known only to people who have been near the device.
 */
export async function findForCaller(
  fleet: FleetDevices,
  named: NamedDevice,
  caller: Caller,
): Promise<Device | undefined> {
  const device = await findNamed(fleet, named);
  if (device === undefined || named.hw_id !== undefined) return device;
  return isPersonal(caller) && isOrWasTheirs(device, caller.uid) ? device : undefined;
}

/** The device as rollouts identify it. An unprovisioned chip has a place in a rollout too, a serial alone has none. */
export function targetOf(named: NamedDevice, device: Device | undefined): TargetDevice | undefined {
  if (device !== undefined) return { hwId: device.hwId, serial: device.serial };
  return named.hw_id === undefined ? undefined : { hwId: named.hw_id };
}

/** @throws ApiError when the device isn't the caller's, whether or not it exists */
export async function requireOwned(fleet: FleetDevices, named: NamedDevice, uid: Uid): Promise<Device> {
  const device = await findNamed(fleet, named);
  if (device?.owner?.uid !== uid) throw new ApiError('not_owned', 'This device is not in your account.');
  return device;
}
