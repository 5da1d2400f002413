import type { ReleaseVersion } from '@autowatering/release-format';
import type { HwId, Serial, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { Actor } from '../audit/audit.ts';
import type { Device } from '../device/device.ts';
import { createDeviceIndex, type DevicePage } from '../device/device-index.ts';
import { personOf } from '../device/person.ts';
import { createFleetStore } from '../device/store.ts';
import { recordFirmware } from '../reconcile/firmware-seen.ts';
import { createFleetSummary } from './fleet-summary.ts';

/** What other domains may read about devices. */
export interface FleetDevices {
  /**
   * Finds a device by its hardware id if given, else by its serial.
   *
   * @param how.mayBeStale accepts a slightly outdated device, at half the read cost
   */
  find(
    by: { readonly hwId: HwId | undefined; readonly serial: Serial | undefined },
    how?: { readonly mayBeStale: boolean },
  ): Promise<Device | undefined>;
  recordFirmware(device: Device, version: ReleaseVersion, actor: Actor, now: number): Promise<void>;
  /** The devices of a board, page by page. */
  ofBoard(board: string, limit: number, after: string | undefined): Promise<DevicePage>;
  /** The versions that devices run, as far as is known, by board: from the kept counts. */
  versions(): Promise<readonly { readonly board: string; readonly version: string }[]>;
  /** The devices that run a version, page by page. */
  ofVersion(version: string, limit: number, after: string | undefined): Promise<DevicePage>;
  /** The number of devices of a board, from the kept counts. */
  countOfBoard(board: string): Promise<number>;
}

/** Whether the user owns the device, or owned it when it was revoked. */
export function isOrWasTheirs({ owner, formerOwner }: Device, uid: Uid): boolean {
  return owner?.uid === uid || (formerOwner !== null && formerOwner === personOf(uid));
}

export function createFleetDevices(services: Services): FleetDevices {
  const store = createFleetStore(services);
  const index = createDeviceIndex(services);
  const summaries = createFleetSummary(services);
  return {
    async find({ hwId, serial }, how) {
      if (hwId !== undefined) return store.readDevice(hwId, how);
      return serial === undefined ? undefined : store.findBySerial(serial, how);
    },
    recordFirmware: (device, version, actor, now) => recordFirmware(store, device, version, actor, now),
    ofBoard: (board, limit, after) => index.listDevices({ board }, limit, after),
    versions: async () => (await summaries.readSummary('~')).byVersion,
    ofVersion: (firmwareVersion, limit, after) => index.listDevices({ firmwareVersion }, limit, after),
    async countOfBoard(board) {
      const { byVersion } = await summaries.readSummary('~');
      return byVersion.filter((entry) => entry.board === board).reduce((sum, { devices }) => sum + devices, 0);
    },
  };
}
