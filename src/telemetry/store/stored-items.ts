import { READER_VERSION } from '@autowatering/device-data';
import type { Item } from '../../platform/aws/attribute-values.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import { isHwId, isSerial, type Uid } from '../../platform/ids.ts';
import {
  fields,
  listOf,
  number,
  optional,
  recordOf,
  type Shape,
  ShapeError,
  text,
  textThat,
} from '../../platform/shapes.ts';
import type { ZoneTimeline } from '../rollups/local-day.ts';
import {
  DAYS,
  endOfHours,
  HOURS,
  isMonth,
  LIVE,
  LOST_RECORD,
  type Month,
  monthAfter,
  ROWS,
  rollUpRecord,
  startOfMonth,
} from '../rows/periods.ts';
import { RAW_DAYS } from '../rows/read-rows.ts';
import { DAY_MS } from '../rows/row-layout.ts';
import { deviceKey, settingsKey } from '../table-keys.ts';
import { isTimeZone } from '../time-zone.ts';
import { type Chunk, EMPTY_CHUNK } from './chunk.ts';
import { decodeChunk, encodeChunk } from './chunk-codec.ts';
import { type DeviceState, MEASUREMENT_KINDS } from './device-state.ts';
import type { Revised } from './garden-items.ts';
import { readReceipts, writeReceipts } from './receipts.ts';

/** Raw rows outlive the time in which more can come for their month: a row near a month's edge touches both months. */
const ROOM_DAYS = 5;

const bytes: Shape<Uint8Array> = (value, at) => {
  if (value instanceof Uint8Array) return value;
  throw new ShapeError([{ place: at ?? '', expected: 'bytes' }]);
};

/** A packed item and the revision it is at; 0 if it does not exist. */
export interface StoredBytes {
  readonly data: Uint8Array | undefined;
  readonly revision: number;
}

const BytesItem = fields({ data: bytes, revision: number });

export function readBytesItem(item: Item | undefined): StoredBytes {
  return item === undefined ? { data: undefined, revision: 0 } : BytesItem(item);
}

export interface StoredChunk {
  readonly chunk: Chunk;
  readonly revision: number;
}

export function readChunkItem(item: Item | undefined): StoredChunk {
  const { data, revision } = readBytesItem(item);
  return { chunk: data === undefined ? EMPTY_CHUNK : decodeChunk(data), revision };
}

/** An item with a packed chunk, and when it goes, by its record. */
export function chunkItem(partition: string, record: string, chunk: Chunk, revision: number): Revised {
  const end = endOf(record, chunk);
  return {
    key: { partition, record },
    revision,
    fields: {
      data: encodeChunk(chunk),
      reader_version: READER_VERSION,
      ...(end === undefined ? {} : { expires_at: ttlSeconds(end + (RAW_DAYS + ROOM_DAYS) * DAY_MS) }),
    },
  };
}

/** The end of what a record is about, in milliseconds since 1970; undefined if it is kept while the device is owned. */
function endOf(record: string, chunk: Chunk): number | undefined {
  if (record.startsWith(DAYS)) return undefined;
  if (record.startsWith(HOURS)) return endOfHours(Date.parse(`${record.slice(HOURS.length)}T00:00:00Z`));
  if (record.startsWith(LIVE)) return Date.parse(`${record.slice(LIVE.length)}T00:00:00Z`) + DAY_MS;
  if (record === LOST_RECORD) return Math.max(...chunk.rows.map(({ readAt }) => readAt));
  const month = record.slice(ROWS.length);
  if (!record.startsWith(ROWS) || !isMonth(month)) throw new Error(`${record} holds no chunk`);
  return startOfMonth(monthAfter(month));
}

const measurementTimes = recordOf(number);
const DeviceItem = fields({
  hw_id: textThat(isHwId, 'a hardware id'),
  serial: textThat(isSerial, 'a serial'),
  heard_at: number,
  read_to: measurementTimes,
  newest_watering: measurementTimes,
  uptime: optional(fields({ at: number, uptime_ms: number, source: text })),
  latest: bytes,
  received: optional(text),
  uploads: optional(fields({ since: number, count: number })),
  revision: number,
});

export interface StoredDevice {
  readonly state: DeviceState | undefined;
  readonly revision: number;
}

export function readDeviceItem(item: Item | undefined): StoredDevice {
  if (item === undefined) return { state: undefined, revision: 0 };
  const { uptime, read_to: readTo, newest_watering: newest, ...stored } = DeviceItem(item);
  return {
    revision: stored.revision,
    state: {
      hwId: stored.hw_id,
      serial: stored.serial,
      heardAt: stored.heard_at,
      readTo: Object.fromEntries(
        MEASUREMENT_KINDS.flatMap((kind) => (readTo[kind] === undefined ? [] : [[kind, readTo[kind]]])),
      ),
      newestWatering: Object.fromEntries(Object.entries(newest).map(([channel, at]) => [Number(channel), at])),
      uptime:
        uptime === undefined
          ? null
          : {
              phoneTimeMs: uptime.at,
              uptimeMs: uptime.uptime_ms,
              source: uptime.source === 'environment' ? 'environment' : 'diagnostics',
            },
      latest: decodeChunk(stored.latest).samples,
      received: readReceipts(stored.received ?? ''),
      uploads: stored.uploads ?? null,
    },
  };
}

export function deviceItem(uid: Uid, state: DeviceState, revision: number): Revised {
  const { uptime } = state;
  return {
    key: deviceKey(uid, state.hwId),
    revision,
    fields: {
      hw_id: state.hwId,
      serial: state.serial,
      heard_at: state.heardAt,
      read_to: state.readTo,
      newest_watering: state.newestWatering,
      ...(uptime === null
        ? {}
        : { uptime: { at: uptime.phoneTimeMs, uptime_ms: uptime.uptimeMs, source: uptime.source } }),
      latest: encodeChunk({ ...EMPTY_CHUNK, samples: state.latest }),
      received: writeReceipts(state.received),
      ...(state.uploads === null ? {} : { uploads: state.uploads }),
    },
  };
}

const SettingsItem = fields({
  zones: listOf(fields({ since: number, zone: textThat(isTimeZone, 'a time zone') }), { atLeast: 1 }),
  revision: number,
});

export interface StoredZones {
  /** Undefined while nobody has said. */
  readonly timeline: ZoneTimeline | undefined;
  readonly revision: number;
}

export function readSettingsItem(item: Item | undefined): StoredZones {
  if (item === undefined) return { timeline: undefined, revision: 0 };
  const { zones, revision } = SettingsItem(item);
  return { timeline: zones, revision };
}

export function settingsItem(uid: Uid, zones: ZoneTimeline, revision: number): Revised {
  return { key: settingsKey(uid), revision, fields: { zones } };
}

export interface StoredRollUpItem extends StoredBytes {
  /** The revisions of the evidence it was counted from: of the month before, its own, and the month after. */
  readonly countedFrom: readonly number[];
}

const RollUpItem = fields({ data: bytes, revision: number, rows_revisions: listOf(number) });

export function readRollUpItem(item: Item | undefined): StoredRollUpItem {
  if (item === undefined) return { data: undefined, revision: 0, countedFrom: [] };
  const { rows_revisions: countedFrom, ...stored } = RollUpItem(item);
  return { ...stored, countedFrom };
}

/** A month's roll-up, kept while the device is owned. */
export function rollUpItem(
  partition: string,
  month: Month,
  data: Uint8Array,
  { revision, countedFrom }: Omit<StoredRollUpItem, 'data'>,
): Revised {
  return {
    key: { partition, record: rollUpRecord(month) },
    revision,
    fields: { data, reader_version: READER_VERSION, rows_revisions: countedFrom },
  };
}
