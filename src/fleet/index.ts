import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { createFleetStore } from './device/store.ts';
import { releaseAllDevices } from './ownership/unclaim.ts';

export type { Device } from './device/device.ts';
export { type DeviceRecords, deviceRecordsOf } from './device/device-records.ts';
export { type DeviceVersion, LONGEST_VERSION_TEXT, notUnderstood, readDeviceVersion } from './device/device-version.ts';
export { createFleetDevices, type FleetDevices, isOrWasTheirs } from './overview/fleet-devices.ts';
export { deviceNames } from './ownership/device-names.ts';

/** For the deletion of an account: releases every device the user owns. */
export function releaseDevicesOf(services: Services): (uid: Uid) => Promise<void> {
  const store = createFleetStore(services);
  return (uid) => releaseAllDevices(store, uid, services.clock.now());
}
