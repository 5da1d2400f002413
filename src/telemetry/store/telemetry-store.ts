import type { HwId, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { Evidence, Reading, Row } from '../evidence.ts';
import type { ZoneTimeline } from '../rollups/local-day.ts';
import {
  daysRecord,
  hoursRecord,
  LOST_RECORD,
  liveRecord,
  type Month,
  monthAfter,
  monthOf,
  ROLL_UPS,
  rollUpRecord,
  rowsRecord,
} from '../rows/periods.ts';
import { DEVICE_PREFIX, deviceKey, devicePartition, settingsKey } from '../table-keys.ts';
import type { DeviceState, MeasurementKind } from './device-state.ts';
import { evidenceOf } from './evidence-of.ts';
import { createGardenItems } from './garden-items.ts';
import { readBytesItem, readChunkItem, readDeviceItem, readSettingsItem } from './stored-items.ts';

/** A month's roll-up as it is stored. */
export interface StoredRollUp {
  readonly month: Month;
  readonly data: Uint8Array;
}

/** What devices told, for whoever reads it. All times are milliseconds since 1970, ends included. */
export interface TelemetryStore {
  /** The rows of one kind, the oldest first. Rows from a device without a clock are under the time they were first read. */
  measurements(uid: Uid, hwId: HwId, kind: MeasurementKind, from: number, to: number): Promise<readonly Row[]>;
  /** Evidence of runs. Ask for more than the time of interest: what tells of a run may lie up to three days from its start. */
  evidence(uid: Uid, hwId: HwId, from: number, to: number): Promise<Evidence>;
  /** Live samples, the oldest first. */
  readings(uid: Uid, hwId: HwId, from: number, to: number): Promise<readonly Reading[]>;
  /** Roll-ups of months, the first and the last included, in their order. A month without runs may have none. */
  rollUps(uid: Uid, hwId: HwId, first: Month, last: Month): Promise<readonly StoredRollUp[]>;
  device(uid: Uid, hwId: HwId): Promise<DeviceState | undefined>;
  /** All devices of which the account has telemetry, also those it gave away. */
  devices(uid: Uid, how?: { readonly isConsistent: boolean }): Promise<readonly DeviceState[]>;
  /** The owner's time zones; none while nobody has said one. */
  zones(uid: Uid): Promise<ZoneTimeline>;
  /** Removes everything a device told to this account. Can be repeated. */
  removeDevice(uid: Uid, hwId: HwId): Promise<void>;
}

/** After every character that a record has. */
const LAST = '\uffff';

/** Reads are eventually consistent: what a phone stored a moment ago may be missing for as long. */
export function createTelemetryStore(
  services: Pick<Services, 'config' | 'documents' | 'randomness' | 'clock'>,
): TelemetryStore {
  const items = createGardenItems(services);

  const chunks = async (uid: Uid, hwId: HwId, from: string, to: string) =>
    (await items.inRange(devicePartition(uid, hwId), from, to)).map((item) => readChunkItem(item).chunk);

  const lost = async (uid: Uid, hwId: HwId) => {
    const key = { partition: devicePartition(uid, hwId), record: LOST_RECORD };
    const [item] = await items.read([key], { isConsistent: false });
    return readChunkItem(item).chunk;
  };

  return {
    async measurements(uid, hwId, kind, from, to) {
      const record = kind === 'rain_daily' || kind === 'environment_daily' ? daysRecord : hoursRecord;
      const [stored, withoutClock] = await Promise.all([chunks(uid, hwId, record(from), record(to)), lost(uid, hwId)]);
      return [...stored, withoutClock]
        .flatMap(({ rows }) => rows.filter((row) => row.kind === kind && row.at >= from && row.at <= to))
        .sort((one, other) => one.at - other.at);
    },

    async evidence(uid, hwId, from, to) {
      const [stored, withoutClock] = await Promise.all([
        // A session that was watched over a month's edge is in the month in which it began.
        chunks(uid, hwId, rowsRecord(monthAfter(monthOf(from), -1)), rowsRecord(monthOf(to))),
        lost(uid, hwId),
      ]);
      return evidenceOf([...stored, withoutClock], from, to);
    },

    async readings(uid, hwId, from, to) {
      return (await chunks(uid, hwId, liveRecord(from), liveRecord(to)))
        .flatMap(({ samples }) => samples.filter(({ readAt }) => readAt >= from && readAt <= to))
        .sort((one, other) => one.readAt - other.readAt);
    },

    async rollUps(uid, hwId, first, last) {
      const found = await items.inRange(devicePartition(uid, hwId), rollUpRecord(first), rollUpRecord(last));
      return found.flatMap((item) => {
        const { data } = readBytesItem(item);
        const month = monthOf(Date.parse(`${String(item['record']).slice(ROLL_UPS.length)}-01T00:00:00Z`));
        return data === undefined ? [] : [{ month, data }];
      });
    },

    async device(uid, hwId) {
      const [item] = await items.read([deviceKey(uid, hwId)], { isConsistent: false });
      return readDeviceItem(item).state;
    },

    async devices(uid, how) {
      const { partition } = settingsKey(uid);
      const found = await items.inRange(partition, DEVICE_PREFIX, `${DEVICE_PREFIX}${LAST}`, how);
      return found.flatMap((item) => readDeviceItem(item).state ?? []);
    },

    async zones(uid) {
      const [item] = await items.read([settingsKey(uid)], { isConsistent: false });
      return readSettingsItem(item).timeline ?? [];
    },

    removeDevice: (uid, hwId) => items.removeAll(devicePartition(uid, hwId), deviceKey(uid, hwId)),
  };
}
