import { CHANNELS, isTrustedEpoch } from '@autowatering/device-data';
import type { GatheredRead } from './gathering.ts';
import { lastRowsNumber, type MeasurementKind, ROW_BYTES, startOfDate } from './row-bytes.ts';

/** From where on an account needs a device's rows, in milliseconds since 1970; null: all there are. */
export interface SyncCursor extends Readonly<Record<MeasurementKind, number | null>> {
  /** By channel, the newest row that is known. */
  readonly watering: readonly (number | null)[];
}

/** Of a device that was never read. */
export const FROM_THE_BEGINNING: SyncCursor = {
  watering: Array.from({ length: CHANNELS }, () => null),
  ...{ rain_hourly: null, rain_daily: null, environment_hourly: null, environment_daily: null },
};

const HOUR_MS = 60 * 60 * 1000;
const STEP_MS: Readonly<Record<MeasurementKind, number>> = {
  ...{ rain_hourly: HOUR_MS, environment_hourly: HOUR_MS, rain_daily: 24 * HOUR_MS, environment_daily: 24 * HOUR_MS },
};

/** The cursor once these rows are safe, for a phone that can't ask the account meanwhile. */
export function advanced(cursor: SyncCursor, reads: readonly GatheredRead[]): SyncCursor {
  const watering = [...cursor.watering];
  const measured: Record<MeasurementKind, number | null> = { ...cursor };
  for (const { kind, channel, rows, readAt } of reads) {
    if (rows.byteLength < ROW_BYTES[kind]) continue;
    const number = lastRowsNumber(rows, kind);
    const at = kind === 'environment_daily' ? startOfDate(number) : number * 1000;
    if (!isTrustedEpoch(at / 1000, readAt)) continue;
    if (kind === 'watering') {
      if (channel !== undefined) watering[channel] = Math.max(at, watering[channel] ?? 0);
    } else {
      const step = STEP_MS[kind];
      measured[kind] = Math.max(Math.min(at - (at % step), readAt - (readAt % step)), measured[kind] ?? 0);
    }
  }
  return { ...measured, watering };
}
