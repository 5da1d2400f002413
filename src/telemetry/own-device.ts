import type { Device, FleetDevices } from '../fleet/index.ts';
import { ApiError } from '../http/errors.ts';
import type { Serial, Uid } from '../platform/ids.ts';

/** @throws ApiError `device_not_found` for everybody but the owner */
export async function ownDevice(fleet: Pick<FleetDevices, 'find'>, uid: Uid, serial: Serial): Promise<Device> {
  const device = await fleet.find({ hwId: undefined, serial });
  if (device?.owner?.uid !== uid) throw new ApiError('device_not_found', 'This device is not in your account.');
  return device;
}
