import { createHash } from 'node:crypto';
import {
  Diagnostics,
  HistoryDetailedEntry,
  type UptimeReading,
  uptimeFromDiagnostics,
} from '@autowatering/device-data';
import type { ReadingKind, Row } from '../evidence.ts';
import { liveRecord, type Month, measurementRecord, monthOf } from '../rows/periods.ts';
import { RAW_DAYS, readRows } from '../rows/read-rows.ts';
import { READING_BYTES } from '../rows/reading-bytes.ts';
import { DAY_MS, ROW_LAYOUTS } from '../rows/row-layout.ts';
import { BOOT_STEP_MS, type Chunk, type Sample } from '../store/chunk.ts';
import type { DeviceNews, ReadExtent } from '../store/device-state.ts';
import { SESSION_ID_BYTES } from '../store/sample-codec.ts';
import { type PhoneClock, phoneClock } from './phone-clock.ts';
import type { Refusal, Upload, UploadedRead } from './upload.ts';
import { whatCameIn } from './what-came-in.ts';

/** What belongs into one item, read by read. */
export type Parts = readonly Partial<Chunk>[];

/** An upload sorted by where it belongs. */
export interface Batch {
  /** Rows with measurements, by record. */
  readonly measurements: ReadonlyMap<string, Parts>;
  /** Evidence of runs. */
  readonly months: ReadonlyMap<Month, Parts>;
  /** Rows without a trusted time, of one read each: equal ones in it are several. */
  readonly lost: Parts;
  /** Live samples, by record. */
  readonly live: ReadonlyMap<string, Parts>;
  readonly news: DeviceNews;
  /** How many rows, samples and sessions there are, besides the refused ones. */
  readonly accepted: number;
  readonly refused: readonly Refusal[];
}

/** Reads an upload: what can't be is refused, the rest sorted. */
export function toBatch(upload: Upload, receivedAt: number): Batch {
  const clock = phoneClock(upload.sentAt, receivedAt);
  const refused: Refusal[] = [];
  const rows = sortRows(upload, clock, refused);
  const samples = toSamples(upload, clock, refused);
  const sessions = toSessions(upload, clock, refused);
  const uptime = uptimeOf(upload, clock);
  const boots = bootSteps(uptime, samples, receivedAt);
  const months = new Map<Month, Partial<Chunk>[]>(rows.months);
  for (const [month, own] of groups(sessions, ({ startedAt }) => monthOf(startedAt)))
    add(months, month, { sessions: own });
  for (const [month, own] of groups(boots, (step) => monthOf(step * BOOT_STEP_MS))) add(months, month, { boots: own });
  const live = new Map<string, Parts>();
  for (const [record, own] of groups(samples, ({ readAt }) => liveRecord(readAt))) live.set(record, [{ samples: own }]);
  const times = [...rows.readAts, ...samples.map(({ readAt }) => readAt), ...sessions.map(({ endedAt }) => endedAt)];
  return {
    ...{ measurements: rows.measurements, months, lost: rows.lost, live, refused },
    news: {
      heardAt: times.reduce((latest, time) => Math.max(latest, time), uptime?.phoneTimeMs ?? 0),
      extents: rows.extents,
      newestWatering: rows.newestWatering,
      uptime: uptime ?? null,
      latest: samples,
      received: whatCameIn({ measurements: rows.measurements, months, lost: rows.lost, live }, receivedAt),
    },
    accepted: rows.accepted + samples.length + sessions.length,
  };
}

const CHANNELS = 8;
/** Instead of a channel. */
const MASTER_VALVE = 0xff;
const CHANNEL = HistoryDetailedEntry.fields.epoch.bytes;

function sortRows({ reads }: Upload, clock: PhoneClock, refused: Refusal[]) {
  const measured: Row[] = [];
  const months = new Map<Month, Partial<Chunk>[]>();
  const lost: Partial<Chunk>[] = [];
  const extents: ReadExtent[] = [];
  const newestWatering: Record<number, number> = {};
  const readAts: number[] = [];
  let accepted = 0;
  for (const [entry, read] of reads.entries()) {
    const rows = rowsOf(read, entry, clock, refused);
    if (rows === undefined) continue;
    accepted += rows.length;
    const trusted = rows.filter(({ isClockLost }) => !isClockLost);
    const others = rows.filter(({ isClockLost }) => isClockLost);
    if (others.length > 0) lost.push({ rows: others });
    for (const { readAt } of rows.slice(0, 1)) readAts.push(readAt);
    if (read.kind === 'watering') {
      for (const [month, own] of groups(trusted, ({ at }) => monthOf(at))) add(months, month, { rows: own });
      for (const { at, bytes } of trusted) {
        const channel = bytes[CHANNEL] ?? 0;
        newestWatering[channel] = Math.max(at, newestWatering[channel] ?? at);
      }
      continue;
    }
    measured.push(...trusted);
    extents.push(...extentOf(read, trusted));
  }
  const measurements = new Map<string, Parts>();
  for (const [record, own] of groups(measured, measurementRecord)) measurements.set(record, [{ rows: own }]);
  return { measurements, months, lost, extents, newestWatering, readAts, accepted };
}

function rowsOf(read: UploadedRead, entry: number, clock: PhoneClock, refused: Refusal[]): readonly Row[] | undefined {
  const { kind, channel, bytes } = read;
  const count = Math.ceil(bytes.byteLength / ROW_LAYOUTS[kind].bytes);
  const refuse = (code: Refusal['code']) => {
    refused.push({ list: 'reads', entry, row: null, code, count });
    return undefined;
  };
  const readAt = clock.read(read.readAt);
  if (typeof readAt === 'string') return refuse(readAt);
  const result = readRows({ kind, channel, readAt: wholeSeconds(readAt), bytes });
  if (result === undefined) return refuse('length');
  for (const { row, fault } of result.refused) refused.push({ list: 'reads', entry, row, code: fault, count: 1 });
  return result.rows;
}

/** How far a read went. The device's clock may be ahead: nothing is read from the future on. */
function extentOf({ kind, fromAt }: UploadedRead, rows: readonly Row[]): readonly ReadExtent[] {
  const [first] = rows;
  if (kind === 'watering' || first === undefined) return [];
  const ats = rows.map(({ at }) => at);
  const to = Math.min(Math.max(...ats), first.readAt - (first.readAt % ROW_LAYOUTS[kind].stepMs));
  return [{ kind, from: Math.min(fromAt ?? Number.POSITIVE_INFINITY, ...ats), to }];
}

function toSamples({ readings, phoneSession }: Upload, clock: PhoneClock, refused: Refusal[]): readonly Sample[] {
  const session = phoneSession === undefined ? 0 : createHash('sha256').update(phoneSession).digest().readUInt32LE(0);
  return readings.flatMap(({ kind, readAt: phoneTime, uptimeMs = null, bytes }, entry) => {
    const readAt = clock.read(phoneTime);
    const code = typeof readAt === 'string' ? readAt : sampleFault(kind, bytes);
    if (typeof readAt === 'number' && code === undefined)
      return [{ kind, readAt, uptimeMs, phoneSession: session, bytes }];
    refused.push({ list: 'readings', entry, row: null, code: code ?? 'length', count: 1 });
    return [];
  });
}

function sampleFault(kind: ReadingKind, bytes: Uint8Array): 'length' | 'channel' | undefined {
  if (bytes.byteLength !== READING_BYTES[kind]) return 'length';
  const [channel = 0] = bytes;
  const isOfChannel = kind === 'hydraulic' || kind === 'valve';
  return isOfChannel && channel >= CHANNELS && channel !== MASTER_VALVE ? 'channel' : undefined;
}

/** No run takes more than a day; with pauses, two. What tells of a run must not reach further (`EVIDENCE_REACH_MS`). */
const LONGEST_SESSION_MS = 2 * DAY_MS;

function toSessions({ sessions }: Upload, clock: PhoneClock, refused: Refusal[]) {
  return sessions.flatMap(({ sessionId, startedAt, endedAt, ...session }, entry) => {
    const [start, end] = [clock.read(startedAt), clock.read(endedAt)];
    const isTooLong = endedAt - startedAt > LONGEST_SESSION_MS;
    if (typeof start === 'number' && typeof end === 'number' && !isTooLong) {
      const id = createHash('sha256').update(sessionId).digest().subarray(0, SESSION_ID_BYTES).toString('base64url');
      return [{ ...session, sessionId: id, startedAt: wholeSeconds(start), endedAt: wholeSeconds(end) }];
    }
    const code = typeof start === 'string' ? start : typeof end === 'string' ? end : 'too_long';
    refused.push({ list: 'sessions', entry, row: null, code, count: 1 });
    return [];
  });
}

function uptimeOf({ uptime }: Upload, clock: PhoneClock): UptimeReading | undefined {
  const time = uptime && clock.read(uptime.phoneTimeMs);
  return uptime !== undefined && typeof time === 'number' ? { ...uptime, phoneTimeMs: time } : undefined;
}

/**
 * When the device started, as its uptime says. Only the count of minutes says so for certain: the other one wraps after
 * 49.7 days, and each upload must say the same whatever came before it.
 */
function bootSteps(
  uptime: UptimeReading | undefined,
  samples: readonly Sample[],
  receivedAt: number,
): readonly number[] {
  const told = samples.flatMap(({ kind, readAt, bytes }) => {
    const diagnostics = kind === 'diagnostics' ? Diagnostics.read(bytes) : undefined;
    return diagnostics === undefined ? [] : [uptimeFromDiagnostics(diagnostics.uptime_min, readAt)];
  });
  const times = [...(uptime?.source === 'diagnostics' ? [uptime] : []), ...told].map(
    ({ phoneTimeMs, uptimeMs }) => phoneTimeMs - uptimeMs,
  );
  const steps = times
    .filter((time) => time > receivedAt - RAW_DAYS * DAY_MS)
    .map((time) => Math.floor(time / BOOT_STEP_MS));
  return [...new Set(steps)];
}

function groups<T, K>(list: readonly T[], keyOf: (one: T) => K): ReadonlyMap<K, readonly T[]> {
  const result = new Map<K, T[]>();
  for (const one of list) {
    const key = keyOf(one);
    const group = result.get(key);
    if (group === undefined) result.set(key, [one]);
    else group.push(one);
  }
  return result;
}

function add<K>(map: Map<K, Partial<Chunk>[]>, key: K, part: Partial<Chunk>): void {
  map.set(key, [...(map.get(key) ?? []), part]);
}

function wholeSeconds(ms: number): number {
  return ms - (ms % 1_000);
}
