import type { Uid } from '../../platform/ids.ts';
import type { Reading, Row, WatchedSession } from '../evidence.ts';
import { readRuns } from '../reading/read-runs.ts';
import type { ZoneTimeline } from '../rollups/local-day.ts';
import { decodeRow } from '../rows/decode-row.ts';
import { type Month, monthAfter, monthOf, startOfMonth } from '../rows/periods.ts';
import { RAW_DAYS } from '../rows/read-rows.ts';
import { DAY_MS } from '../rows/row-layout.ts';
import type { Run } from '../run.ts';
import type { DeviceState } from '../store/device-state.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';

/** A row as it is exported: what its bytes say, by the names of the device's own fields. */
export interface ReadableRow extends Pick<Row, 'kind' | 'at' | 'readAt' | 'isClockLost'> {
  readonly values: Readonly<Record<string, number>>;
}

/** Everything that an account's devices told, as far as there is room. Times in milliseconds since 1970. */
export interface TelemetryRecords {
  readonly zones: ZoneTimeline;
  readonly devices: readonly DeviceRecords[];
}

interface DeviceRecords extends Pick<DeviceState, 'hwId' | 'serial' | 'heardAt'> {
  readonly runs: readonly Run[];
  readonly sessions: readonly WatchedSession[];
  readonly rows: readonly ReadableRow[];
  readonly readings: readonly Reading[];
  /** False when the document would become too large: what is left out is the oldest of it. */
  readonly isComplete: boolean;
}

/** Of all devices together: a function's answer may have 6 MB, and there is more in the document. */
const MOST_BYTES = 1_500_000;

type Part = Pick<DeviceRecords, 'runs' | 'sessions' | 'rows' | 'readings'>;
const NOTHING: Part = { runs: [], sessions: [], rows: [], readings: [] };
type Store = Pick<TelemetryStore, 'devices' | 'zones' | 'evidence' | 'measurements' | 'readings'>;

export async function readTelemetry(store: Store, uid: Uid, now: number): Promise<TelemetryRecords> {
  const [zones, states] = await Promise.all([store.zones(uid), store.devices(uid)]);
  const devices: DeviceRecords[] = [];
  let room = MOST_BYTES;
  for (const { hwId, serial, heardAt } of states) {
    const parts: Part[] = [];
    let isComplete = true;
    for await (const part of partsOf(store, uid, { hwId, heardAt }, now)) {
      room -= Buffer.byteLength(JSON.stringify(part));
      isComplete = room >= 0;
      if (!isComplete) break;
      parts.push(part);
    }
    devices.push({
      ...{ hwId, serial, heardAt, isComplete },
      runs: parts.flatMap(({ runs }) => runs),
      sessions: parts.flatMap(({ sessions }) => sessions),
      rows: parts.flatMap(({ rows }) => rows),
      readings: parts.flatMap(({ readings }) => readings),
    });
  }
  return { zones, devices };
}

/** What tells most comes first: runs and days, then hours, then live samples; the newest of each first. */
async function* partsOf(
  store: Store,
  uid: Uid,
  { hwId, heardAt }: Pick<DeviceState, 'hwId' | 'heardAt'>,
  now: number,
): AsyncGenerator<Part> {
  const months = monthsBack(Math.max(now, heardAt), now - RAW_DAYS * DAY_MS);
  for (const month of months) {
    const [from, to] = boundsOf(month);
    const [runs, { rows, sessions }] = await Promise.all([
      readRuns(store, { uid, hwId }, { from, to: to + 1 }),
      store.evidence(uid, hwId, from, to),
    ]);
    const begun = sessions.filter(({ startedAt }) => startedAt >= from && startedAt <= to);
    yield { ...NOTHING, runs, sessions: begun, rows: rows.map(readable) };
  }
  for (const kind of ['rain_daily', 'environment_daily'] as const) {
    const rows = await store.measurements(uid, hwId, kind, 0, now + DAY_MS);
    yield { ...NOTHING, rows: rows.map(readable) };
  }
  for (const month of months) {
    const [from, to] = boundsOf(month);
    for (const kind of ['rain_hourly', 'environment_hourly'] as const) {
      yield { ...NOTHING, rows: (await store.measurements(uid, hwId, kind, from, to)).map(readable) };
    }
  }
  for (const month of months) {
    yield { ...NOTHING, readings: await store.readings(uid, hwId, ...boundsOf(month)) };
  }
}

function readable(row: Row): ReadableRow {
  const { kind, at, readAt, isClockLost } = row;
  return { kind, at, readAt, isClockLost, values: decodeRow(row) };
}

function monthsBack(from: number, to: number): readonly Month[] {
  const months: Month[] = [];
  for (let month = monthOf(from); month >= monthOf(to); month = monthAfter(month, -1)) months.push(month);
  return months;
}

function boundsOf(month: Month): readonly [from: number, to: number] {
  return [startOfMonth(month), startOfMonth(monthAfter(month)) - 1];
}
