import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { createFleetStore } from './store.ts';
import type { OwnedDevice } from './stored-items.ts';
import { releaseAllDevices } from './unclaim.ts';

export type { Device } from './device.ts';
export { HwIdField, SerialField } from './device.ts';
export { createFleetDevices, type FleetDevices } from './fleet-devices.ts';
export { fleetRoutes } from './routes.ts';
export type { OwnedDevice };

const PAGE = 100;

/** For the export of an account: every device of the user. */
export function ownedDevicesOf(services: Services): (uid: Uid) => Promise<readonly OwnedDevice[]> {
  const store = createFleetStore(services);
  return async (uid) => {
    const devices: OwnedDevice[] = [];
    let after: string | undefined;
    do {
      const page = await store.listOwned(uid, PAGE, after);
      devices.push(...page.devices);
      after = page.next;
    } while (after !== undefined);
    return devices;
  };
}

/** For the deletion of an account: gives every device of the user back. */
export function releaseDevicesOf(services: Services): (uid: Uid) => Promise<void> {
  const store = createFleetStore(services);
  return (uid) => releaseAllDevices(store, uid, services.clock.now());
}
