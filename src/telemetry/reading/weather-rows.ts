import { EnvironmentDaily, EnvironmentHourly, RainDaily, RainHourly } from '@autowatering/device-data';
import type { Row } from '../evidence.ts';

export const WEATHER_MEASURES = ['rain', 'temperature', 'humidity', 'pressure'] as const;
export type WeatherMeasure = (typeof WEATHER_MEASURES)[number];

/** What the device measured in an hour or on a day of its own: millimetres, °C, % or hPa. */
export interface Measured {
  /** Milliseconds since 1970: the hour, or the day as if its calendar were UTC's. */
  readonly at: number;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** Whether all of the hour or day was measured. */
  readonly isWhole: boolean;
}

/**
 * Reads the values of rows. Rows of a lost clock are left out, as nobody knows what time they are of.
 *
 * @param rows of any kind; those that don't have the measure are left out
 */
export function measuredIn(rows: readonly Row[], measure: WeatherMeasure): readonly Measured[] {
  return rows.flatMap((row) => {
    const values = row.isClockLost ? undefined : valuesOf(row, measure);
    return values === undefined ? [] : [{ at: row.at, isWhole: true, ...values }];
  });
}

type Values = Pick<Measured, 'value' | 'min' | 'max'> & Partial<Pick<Measured, 'isWhole'>>;

function valuesOf({ kind, bytes }: Row, measure: WeatherMeasure): Values | undefined {
  switch (kind) {
    case 'rain_hourly': {
      const row = RainHourly.read(bytes);
      return measure !== 'rain' || row === undefined ? undefined : same(row.mm_x100 / 100);
    }
    case 'rain_daily': {
      const row = RainDaily.read(bytes);
      if (measure !== 'rain' || row === undefined) return undefined;
      return { ...same(row.total_x100 / 100), isWhole: row.completeness_pct >= 100 };
    }
    case 'environment_hourly': {
      const row = EnvironmentHourly.read(bytes);
      if (row === undefined) return undefined;
      if (measure === 'temperature') return ranged(row.t_avg_x100, row.t_min_x100, row.t_max_x100);
      if (measure === 'humidity') return same(row.h_avg_x100 / 100);
      return measure === 'pressure' ? same(row.p_avg_pa / 100) : undefined;
    }
    case 'environment_daily': {
      const row = EnvironmentDaily.read(bytes);
      if (row === undefined) return undefined;
      if (measure === 'temperature') return ranged(row.t_avg_x100, row.t_min_x100, row.t_max_x100);
      if (measure === 'humidity') return ranged(row.h_avg_x100, row.h_min_x100, row.h_max_x100);
      return measure === 'pressure' ? same(row.p_avg_pa / 100) : undefined;
    }
    case 'watering':
      return undefined;
  }
}

function same(value: number): Values {
  return { value, min: value, max: value };
}

function ranged(average: number, min: number, max: number): Values {
  return { value: average / 100, min: min / 100, max: max / 100 };
}

/** Rain adds up; everything else is an average, with the extremes. */
export function together(measure: WeatherMeasure, parts: readonly Measured[]): Pick<Measured, 'value' | 'min' | 'max'> {
  const sum = parts.reduce((total, { value }) => total + value, 0);
  if (measure === 'rain') {
    const total = Math.round(sum * 100) / 100;
    return { value: total, min: total, max: total };
  }
  return {
    value: Math.round((sum / parts.length) * 100) / 100,
    min: Math.min(...parts.map(({ min }) => min)),
    max: Math.max(...parts.map(({ max }) => max)),
  };
}
