import type { HwId, Uid } from '../platform/ids.ts';

export interface GardenKey {
  readonly partition: string;
  readonly record: string;
}

/** Partitions begin with the account. A uid is escaped, as “#” separates the parts. */
const account = (uid: Uid) => encodeURIComponent(uid);

/** One item per device of which the account holds anything: how far it was read, and its last known state. */
export const deviceKey = (uid: Uid, hwId: HwId): GardenKey => ({
  partition: account(uid),
  record: `${DEVICE_PREFIX}${hwId}`,
});
export const DEVICE_PREFIX = 'device#';

/** The account's time zones: days and months are the owner's. */
export const settingsKey = (uid: Uid): GardenKey => ({ partition: account(uid), record: 'telemetry-settings' });

/** Everything that one device told, and what is kept of it: rows by period, roll-ups by month. */
export const devicePartition = (uid: Uid, hwId: HwId): string => `${account(uid)}#telemetry#${hwId}`;
