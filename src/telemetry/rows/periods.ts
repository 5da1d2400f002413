import type { Row } from '../evidence.ts';
import { DAY_MS } from './row-layout.ts';

declare const brand: unique symbol;
/** A month in UTC, such as `2026-03`. */
export type Month = string & { readonly [brand]: 'Month' };

/** Days that share an item of hourly rows; the last item of a month has up to 7. */
const DAYS_TOGETHER = 6;
const LAST_START = 25;

export function monthOf(ms: number): Month {
  return asMonth(new Date(ms).toISOString().slice(0, 7));
}

/** The start of a month, in milliseconds since 1970. */
export function startOfMonth(month: Month): number {
  return Date.parse(`${month}-01T00:00:00Z`);
}

/** @param by how many months later */
export function monthAfter(month: Month, by = 1): Month {
  const start = new Date(startOfMonth(month));
  return monthOf(start.setUTCMonth(start.getUTCMonth() + by));
}

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

export function isMonth(text: string): text is Month {
  return MONTH.test(text);
}

function asMonth(text: string): Month {
  if (!isMonth(text)) throw new RangeError(`${text} is no month`);
  return text;
}

/** A day in UTC, such as `2026-03-25`. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The start of a day, in milliseconds since 1970. */
export function startOfDay(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** The record that hourly rows of a moment are in. */
export function hoursRecord(ms: number): string {
  const date = new Date(ms);
  const start = Math.min(LAST_START, Math.floor((date.getUTCDate() - 1) / DAYS_TOGETHER) * DAYS_TOGETHER + 1);
  return `${HOURS}${date.toISOString().slice(0, 8)}${String(start).padStart(2, '0')}`;
}
/** The end of the time whose hourly rows share the record with this moment's. */
export function endOfHours(ms: number): number {
  const record = hoursRecord(ms);
  let end = Date.parse(`${record.slice(HOURS.length)}T00:00:00Z`);
  while (hoursRecord(end) === record) end += DAY_MS;
  return end;
}

/** The record that daily rows of a moment are in. */
export function daysRecord(ms: number): string {
  const date = new Date(ms);
  return `${DAYS}${date.getUTCFullYear()}-Q${Math.floor(date.getUTCMonth() / 3) + 1}`;
}

export function rowsRecord(month: Month): string {
  return `${ROWS}${month}`;
}
export function rollUpRecord(month: Month): string {
  return `${ROLL_UPS}${month}`;
}
export function liveRecord(ms: number): string {
  return `${LIVE}${dayOf(ms)}`;
}

export const HOURS = 'hours#';
export const DAYS = 'days#';
export const ROWS = 'rows#';
export const ROLL_UPS = 'month#';
export const LIVE = 'live#';
/** Rows from devices that had lost their clock: to find one again, one must not need to know when it was first read. */
export const LOST_RECORD = 'lost-clock';

/** The record of a measurement with a trusted time. */
export function measurementRecord({ kind, at }: Pick<Row, 'kind' | 'at'>): string {
  return kind === 'rain_daily' || kind === 'environment_daily' ? daysRecord(at) : hoursRecord(at);
}
