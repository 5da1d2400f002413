import type { UptimeReading } from '@autowatering/device-data';
import type { Serial } from '../../platform/ids.ts';
import type { ReadingKind, RowKind, SessionEnd } from '../evidence.ts';
import type { RowFault } from '../rows/read-rows.ts';

export const MOST_ROWS_AT_ONCE = 4_000;
export const MOST_READS = 200;
export const MOST_READINGS = 500;
export const MOST_SESSIONS = 100;

/** What a phone or hub tells of a device, with its own times as it sent them. */
export interface Upload {
  readonly serial: Serial;
  readonly sentAt: number;
  readonly phoneSession: string | undefined;
  readonly timeZone: string | undefined;
  readonly uptime: UptimeReading | undefined;
  readonly reads: readonly UploadedRead[];
  readonly readings: readonly UploadedReading[];
  readonly sessions: readonly UploadedSession[];
}

export interface UploadedRead {
  readonly kind: RowKind;
  readonly channel: number | undefined;
  readonly readAt: number;
  /** From which time on the device was asked, by the device's clock. */
  readonly fromAt: number | undefined;
  readonly bytes: Uint8Array;
}

export interface UploadedReading {
  readonly kind: ReadingKind;
  readonly readAt: number;
  readonly uptimeMs: number | undefined;
  readonly bytes: Uint8Array;
}

export interface UploadedSession {
  readonly sessionId: string;
  readonly channel: number;
  readonly startedAt: number;
  readonly sawStart: boolean;
  readonly endedAt: number;
  readonly ended: SessionEnd;
  readonly millilitres: number | null;
}

/**
 * Why something was not taken in: a row's own fault, a length that no whole number of rows has, no room, or a session
 * longer than any run.
 */
export const REFUSALS = [
  'length',
  'empty',
  'channel',
  'temperature',
  'humidity',
  'date',
  'future',
  'too_old',
  'too_many',
  'too_long',
] as const satisfies readonly (RowFault | 'length' | 'too_many' | 'too_long')[];
export type RefusalCode = (typeof REFUSALS)[number];

export interface Refusal {
  readonly list: 'reads' | 'readings' | 'sessions';
  /** The entry of the list, from 0; null if there was no room and it matters not which one it was. */
  readonly entry: number | null;
  /** The row in a read, from 0; null if all of the entry is refused. */
  readonly row: number | null;
  readonly code: RefusalCode;
  /** How many rows, samples or sessions that is. */
  readonly count: number;
}
