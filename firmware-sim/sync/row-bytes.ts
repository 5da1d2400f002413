import {
  EnvironmentDaily,
  EnvironmentHourly,
  HistoryDetailedEntry,
  RainDaily,
  RainHourly,
} from '@autowatering/device-data';

/** As the API names them. */
export type RowKind = 'watering' | 'rain_hourly' | 'rain_daily' | 'environment_hourly' | 'environment_daily';
export type MeasurementKind = Exclude<RowKind, 'watering'>;

/** How long one row of each kind is. */
export const ROW_BYTES: Readonly<Record<RowKind, number>> = {
  watering: HistoryDetailedEntry.bytes,
  rain_hourly: RainHourly.bytes,
  rain_daily: RainDaily.bytes,
  environment_hourly: EnvironmentHourly.bytes,
  environment_daily: EnvironmentDaily.bytes,
};

/** What the last row begins with: its time in seconds since 1970, or its date such as 20260325 (`environment_daily`). */
export function lastRowsNumber(rows: Uint8Array, kind: RowKind): number {
  return new DataView(rows.buffer, rows.byteOffset + rows.byteLength - ROW_BYTES[kind]).getUint32(0, true);
}

/** The start of a date such as 20260325, as if it were in UTC, in milliseconds since 1970. */
export function startOfDate(date: number): number {
  return Date.UTC(Math.floor(date / 10_000), (Math.floor(date / 100) % 100) - 1, date % 100);
}

/** Pages of rows, one after the other. */
export function joinedPages(pages: readonly Uint8Array[]): Uint8Array {
  const [only] = pages;
  return only !== undefined && pages.length === 1 ? only : new Uint8Array(Buffer.concat(pages));
}
