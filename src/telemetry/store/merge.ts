import { ROW_KINDS, type Row, type WatchedSession } from '../evidence.ts';
import { BOOT_STEP_MS, type Chunk, compareBytes, type Sample } from './chunk.ts';

/** What a device tells of a month, or its samples of a day, end here: far beyond what one device says. */
const MOST_ROWS = 6_000;
const MOST_SESSIONS = 2_000;
const MOST_BOOTS = 2_000;
const MOST_SAMPLES = 1_500;

export interface Merged {
  readonly chunk: Chunk;
  /** Rows that were not known, or not in this version. */
  readonly newRows: readonly Row[];
  readonly newSamples: readonly Sample[];
  readonly newSessions: readonly WatchedSession[];
  readonly newBoots: readonly number[];
  /** Rows, sessions and samples for which there was no room. */
  readonly tooMany: number;
  readonly isChanged: boolean;
  /** The times of all rows, sessions and boots that changed, before and after. */
  readonly changedAt: readonly number[];
}

/**
 * Adds what an upload says to what is known. Any order and repetition gives the same chunk, byte for byte.
 *
 * @param added from one read at most, as far as its rows are from a device without a clock: equal ones in it are counted
 */
export function mergeChunk(known: Chunk, added: Partial<Chunk>): Merged {
  const rows = within(MOST_ROWS, compareRows, mergeRows(known.rows, added.rows ?? []));
  const sessions = within(
    MOST_SESSIONS,
    compareSessions,
    union(known.sessions, added.sessions ?? [], ({ sessionId }) => sessionId, laterSession),
  );
  const boots = within(
    MOST_BOOTS,
    (one, other) => one - other,
    union(known.boots, added.boots ?? [], String, (one) => one),
  );
  const samples = within(
    MOST_SAMPLES,
    compareSamples,
    union(known.samples, added.samples ?? [], sampleIdentity, (one) => one),
  );
  return {
    chunk: {
      rows: rows.all.sort(compareRows),
      sessions: sessions.all.sort(compareSessions),
      boots: boots.all.sort((a, b) => a - b),
      samples: samples.all.sort(compareSamples),
    },
    newRows: rows.changed.filter(({ isNewVersion }) => isNewVersion).map(({ one }) => one),
    newSamples: samples.changed.map(({ one }) => one),
    newSessions: sessions.changed.map(({ one }) => one),
    newBoots: boots.changed.map(({ one }) => one),
    tooMany: rows.tooMany + sessions.tooMany + samples.tooMany,
    isChanged: [rows, sessions, boots, samples].some(({ changed }) => changed.length > 0),
    changedAt: [
      ...versions(rows.changed).map(({ at }) => at),
      ...versions(sessions.changed).flatMap(({ startedAt, endedAt }) => [startedAt, endedAt]),
      ...versions(boots.changed).map((step) => step * BOOT_STEP_MS),
    ],
  };
}

/** Leaves out what there is no room for, the last ones first: whatever came in before whatever else, the same is kept. */
function within<T>(most: number, compare: (one: T, other: T) => number, { all, changed }: United<T>) {
  if (all.length <= most) return { all, changed, tooMany: 0 };
  const kept = new Set([...all].sort(compare).slice(0, most));
  const still = changed.filter(({ one }) => kept.has(one));
  return { all: [...kept], changed: still, tooMany: changed.length - still.length };
}

function versions<T>(changed: readonly Changed<T>[]): readonly T[] {
  return changed.flatMap(({ before, one }) => (before === undefined ? [one] : [before, one]));
}

interface Changed<T> {
  readonly one: T;
  readonly before: T | undefined;
  /** Whether it says something new, and not only the same at another time. */
  readonly isNewVersion: boolean;
}

interface United<T> {
  readonly all: T[];
  readonly changed: readonly Changed<T>[];
}

/** Unites two sets of things with identities. @param better which of two versions stays; the same whichever comes first */
function union<T>(
  known: readonly T[],
  added: readonly T[],
  identity: (one: T) => string,
  better: (one: T, other: T) => T,
): United<T> {
  return unite(
    known.map((one) => [identity(one), one]),
    added.map((one) => [identity(one), one]),
    better,
    () => true,
  );
}

function unite<T>(
  known: readonly (readonly [string, T])[],
  added: readonly (readonly [string, T])[],
  better: (one: T, other: T) => T,
  saysMore: (before: T, now: T) => boolean,
): United<T> {
  const all = new Map(known);
  const changed = new Map<string, Changed<T>>();
  for (const [key, one] of added) {
    const before = all.get(key);
    const kept = before === undefined ? one : better(before, one);
    if (kept === before) continue;
    all.set(key, kept);
    const earlier = changed.get(key);
    const isNewVersion = before === undefined || saysMore(before, kept) || earlier?.isNewVersion === true;
    changed.set(key, { one: kept, before: earlier === undefined ? before : earlier.before, isNewVersion });
  }
  return { all: [...all.values()], changed: [...changed.values()] };
}

function mergeRows(known: readonly Row[], added: readonly Row[]) {
  return unite(
    identified(known),
    identified(added),
    betterRow,
    (before, now) => compareBytes(before.bytes, now.bytes) !== 0,
  );
}

/**
 * What makes a row the same row (device sheet, §3, "Duplicates"): a watering row's time, channel and bytes; the hour or day of
 * a measurement. Without a clock it is the bytes, and how many equal ones the read had before it.
 */
function identified(rows: readonly Row[]): (readonly [string, Row])[] {
  const equalOnes = new Map<string, number>();
  return rows.map((row) => {
    const kind = ROW_KINDS.indexOf(row.kind);
    if (!row.isClockLost)
      return [row.kind === 'watering' ? `${kind} ${row.at} ${text(row.bytes)}` : `${kind} ${row.at}`, row];
    const key = `lost ${kind} ${text(row.bytes)}`;
    const earlier = equalOnes.get(key) ?? 0;
    equalOnes.set(key, earlier + 1);
    return [`${key} ${earlier}`, row];
  });
}

/** Folds several reads into what is known, one after the other. */
export function mergeParts(known: Chunk, parts: readonly Partial<Chunk>[]): Merged {
  const steps: Merged[] = [];
  let chunk = known;
  for (const part of parts) {
    const merged = mergeChunk(chunk, part);
    chunk = merged.chunk;
    steps.push(merged);
  }
  return {
    chunk,
    newRows: steps.flatMap(({ newRows }) => newRows),
    newSamples: steps.flatMap(({ newSamples }) => newSamples),
    newSessions: steps.flatMap(({ newSessions }) => newSessions),
    newBoots: steps.flatMap(({ newBoots }) => newBoots),
    tooMany: steps.reduce((sum, { tooMany }) => sum + tooMany, 0),
    isChanged: steps.some(({ isChanged }) => isChanged),
    changedAt: steps.flatMap(({ changedAt }) => changedAt),
  };
}

/** The device rewrites measurements, so the last one read counts. Other rows never change: the first read counts. */
function betterRow(one: Row, other: Row): Row {
  const isRewritten = !one.isClockLost && one.kind !== 'watering';
  const order = one.readAt - other.readAt || (isRewritten ? compareBytes(one.bytes, other.bytes) : 0);
  if (order === 0) return one;
  return order > 0 === isRewritten ? one : other;
}

function compareRows(one: Row, other: Row): number {
  return (
    ROW_KINDS.indexOf(one.kind) - ROW_KINDS.indexOf(other.kind) ||
    Number(one.isClockLost) - Number(other.isClockLost) ||
    one.at - other.at ||
    compareBytes(one.bytes, other.bytes)
  );
}

const ENDS = ['lost_sight', 'interrupted', 'stopped', 'completed'] as const;

/** A phone may tell of a session while it lasts: the version that saw more counts. */
export function laterSession(one: WatchedSession, other: WatchedSession): WatchedSession {
  const order =
    one.endedAt - other.endedAt ||
    ENDS.indexOf(one.ended) - ENDS.indexOf(other.ended) ||
    (one.millilitres ?? -1) - (other.millilitres ?? -1) ||
    other.startedAt - one.startedAt ||
    Number(one.sawStart) - Number(other.sawStart) ||
    one.channel - other.channel;
  return order >= 0 ? one : other;
}

function compareSessions(one: WatchedSession, other: WatchedSession): number {
  return one.startedAt - other.startedAt || (one.sessionId < other.sessionId ? -1 : 1);
}

/** When a day has too many samples, these are the last to go. */
const MATTERS: readonly Sample['kind'][] = ['alarm', 'valve', 'status', 'hydraulic', 'diagnostics'];

function sampleIdentity({ kind, readAt, uptimeMs, phoneSession, bytes }: Sample): string {
  return `${kind} ${readAt} ${uptimeMs} ${phoneSession} ${text(bytes)}`;
}

function compareSamples(one: Sample, other: Sample): number {
  const matters = (sample: Sample) => Number(!MATTERS.includes(sample.kind));
  return (
    matters(one) - matters(other) || one.readAt - other.readAt || (sampleIdentity(one) < sampleIdentity(other) ? -1 : 1)
  );
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
