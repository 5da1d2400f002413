import { FIRST_TRUSTED_EPOCH_S, HistoryDetailedEntry } from '@autowatering/device-data';
import type { RowKind } from './row-bytes.ts';
import type { WatchedRun } from './run-watch.ts';

/** As the API names them. */
export type ReadingKind =
  | 'status'
  | 'hydraulic'
  | 'diagnostics'
  | 'environment'
  | 'rain'
  | 'task'
  | 'flow'
  | 'valve'
  | 'alarm';

/** What was read of one ring, at one moment. Times are milliseconds since 1970. */
export interface GatheredRead {
  readonly kind: RowKind;
  readonly channel?: number;
  readonly readAt: number;
  readonly fromAt?: number;
  readonly rows: Uint8Array;
}

export interface GatheredReading {
  readonly kind: ReadingKind;
  readonly readAt: number;
  readonly bytes: Uint8Array;
}

export interface GatheredSession extends WatchedRun {
  readonly sessionId: string;
}

/** More samples than this are not worth their room: those that repeat are left out first. */
const MOST_READINGS = 400;
const REPEATED_MS = 10_000;
const REPEATING: readonly ReadingKind[] = ['task', 'flow', 'status'];

/** What a visit has learned of a device so far. A visit that is cut short leaves what it has. */
export class Gathering {
  readonly reads: GatheredRead[] = [];
  readonly readings: GatheredReading[] = [];
  readonly sessions: GatheredSession[] = [];
  /** From the count of minutes in `defd`. */
  uptime: { readonly uptimeMs: number; readonly readAt: number } | undefined;
  readonly #last = new Map<ReadingKind, GatheredReading>();

  get isEmpty(): boolean {
    return this.reads.length + this.readings.length + this.sessions.length === 0;
  }

  addRead(read: GatheredRead): void {
    if (read.rows.byteLength > 0) this.reads.push(read);
  }

  /** Keeps a sample, unless it only repeats what was said a moment ago. */
  addReading(reading: GatheredReading): void {
    const { kind, readAt, bytes } = reading;
    const before = this.#last.get(kind);
    const isRepeated = REPEATING.includes(kind) && before !== undefined && readAt - before.readAt < REPEATED_MS;
    const isTheSame = isRepeated && (kind !== 'status' || before.bytes[0] === bytes[0]);
    if (isTheSame || (this.readings.length >= MOST_READINGS && kind !== 'alarm')) return;
    this.#last.set(kind, reading);
    this.readings.push(reading);
  }
}

/**
 * The rows of a watering ring that may be new: from the newest known one on, and those of a lost clock, whose times mean
 * nothing.
 */
export function newWateringRows(rows: Uint8Array, newestAt: number | null): Uint8Array {
  if (newestAt === null) return rows;
  const { bytes } = HistoryDetailedEntry;
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  const kept: Uint8Array[] = [];
  for (let at = 0; at < rows.byteLength; at += bytes) {
    const epochS = view.getUint32(at, true);
    if (epochS * 1000 >= newestAt || epochS < FIRST_TRUSTED_EPOCH_S) kept.push(rows.subarray(at, at + bytes));
  }
  return kept.length * bytes === rows.byteLength ? rows : new Uint8Array(Buffer.concat(kept));
}
