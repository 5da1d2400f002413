import { HistoryDetailedEntry, type Read } from '@autowatering/device-data';
import type { Evidence, Row, WatchedSession } from '../../src/telemetry/evidence.ts';
import { deviceBytes } from './device-bytes.ts';

/** A Monday. */
export const MORNING = Date.parse('2026-06-01T06:00:00Z');
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** @param at milliseconds since 1970; the device keeps whole seconds */
function wateringRow(channel: number, at: number, fields: Partial<Read<typeof HistoryDetailedEntry>>): Row {
  const epoch = Math.floor(at / 1000);
  const bytes = deviceBytes(HistoryDetailedEntry, { event: 1, ...fields, epoch, channel_id: channel });
  return { kind: 'watering', at: epoch * 1000, isClockLost: false, readAt: at + DAY, bytes };
}

export const startedFor = (channel: number, at: number, minutes: number) =>
  wateringRow(channel, at, { mode: 1, target: minutes, trigger: 1 });
export const startedUntil = (channel: number, at: number, litres: number) =>
  wateringRow(channel, at, { target: litres, trigger: 1 });
export const stopped = (channel: number, at: number, actual: number) =>
  wateringRow(channel, at, { actual, actual_copy: actual });
export const skippedForRain = (channel: number, at: number) => wateringRow(channel, at, { success: 3 });
export const skippedForFrost = (channel: number, at: number) =>
  wateringRow(channel, at, { event: 3, success: 3, error: 4 });
export const statisticsReset = (channel: number, at: number) =>
  wateringRow(channel, at, { event: 3, success: 2, error: 7 });
export const statisticsWritten = (channel: number, at: number, millilitres: number) =>
  wateringRow(channel, at, { actual: millilitres, actual_copy: millilitres });

/** The row as a phone reads it whose device lost its clock and shows the first day of 2023. */
export function withLostClock(row: Row, receivedAt: number): Row {
  const entry = HistoryDetailedEntry.read(row.bytes);
  if (entry === undefined) throw new Error('not a row');
  const epoch = Date.parse('2023-01-01T00:00:00Z') / 1000 + (entry.epoch % 86_400);
  const bytes = HistoryDetailedEntry.write({ ...entry, epoch });
  return { ...row, at: receivedAt, readAt: receivedAt, isClockLost: true, bytes };
}

let sessions = 0;
/** A phone that saw all of a run of 10 minutes and 20 litres, unless told otherwise. */
export function watched(
  channel: number,
  startedAt: number,
  { minutes = 10, ...rest }: Partial<WatchedSession> & { readonly minutes?: number } = {},
): WatchedSession {
  sessions += 1;
  return {
    ...{ sessionId: `session-${sessions}`, channel, startedAt, sawStart: true, endedAt: startedAt + minutes * MINUTE },
    ...{ ended: 'completed', millilitres: 20_000 },
    ...rest,
  };
}

export type Piece = Row | WatchedSession | { readonly rebootAt: number };

export function evidenceOf(...pieces: readonly Piece[]): Evidence {
  return {
    rows: pieces.filter((piece) => 'bytes' in piece),
    sessions: pieces.filter((piece) => 'sessionId' in piece),
    reboots: pieces.flatMap((piece) => ('rebootAt' in piece ? [piece.rebootAt] : [])),
  };
}
