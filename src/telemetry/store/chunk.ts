import type { Reading, Row, WatchedSession } from '../evidence.ts';

/** A live sample as it is kept: two phones' samples of the same moment are two. */
export interface Sample extends Reading {
  /** Tells phone sessions apart: the start of a hash of the phone's name for it, 0 without one. */
  readonly phoneSession: number;
}

/** What one item of the table holds, in the order of the comparisons below and each thing once. */
export interface Chunk {
  readonly rows: readonly Row[];
  readonly sessions: readonly WatchedSession[];
  /** When the device started, in steps of `BOOT_STEP_MS` since 1970. */
  readonly boots: readonly number[];
  readonly samples: readonly Sample[];
}

export const EMPTY_CHUNK: Chunk = { rows: [], sessions: [], boots: [], samples: [] };

/**
 * The device counts its uptime in minutes, so one start is told a minute earlier or later from one time to the next, and
 * clocks drift apart by some seconds a day: neighbouring steps are the same start.
 */
export const BOOT_STEP_MS = 120_000;

export function isEmpty({ rows, sessions, boots, samples }: Chunk): boolean {
  return rows.length + sessions.length + boots.length + samples.length === 0;
}

/** The times at which the device started, in milliseconds since 1970: the middle of the steps that follow each other. */
export function bootTimes(steps: readonly number[]): readonly number[] {
  const sorted = [...new Set(steps)].sort((a, b) => a - b);
  const times: number[] = [];
  for (let first = 0; first < sorted.length; ) {
    let last = first;
    while ((sorted[last + 1] ?? Number.NaN) === (sorted[last] ?? 0) + 1) last += 1;
    const [from = 0, to = 0] = [sorted[first], sorted[last]];
    times.push(((from + to + 1) / 2) * BOOT_STEP_MS);
    first = last + 1;
  }
  return times;
}

/** Compares byte by byte; of two with the same beginning the shorter one is less. */
export function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const length = Math.min(one.byteLength, other.byteLength);
  for (let index = 0; index < length; index += 1) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return one.byteLength - other.byteLength;
}
