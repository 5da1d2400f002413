import {
  EnvironmentDaily,
  EnvironmentHourly,
  type Fields,
  HistoryDetailedEntry,
  RainDaily,
  RainHourly,
  type Structure,
} from '@autowatering/device-data';
import type { RowKind } from '../evidence.ts';

/** What a column's value is compared with before it is stored: what is as expected takes no room. */
export type Expected =
  /** The same field of the row before. */
  | { readonly by: 'before' }
  | { readonly by: 'nothing' }
  /** The row's own time, in seconds or as a number such as 20260325. */
  | { readonly by: 'time' | 'date' }
  /** Another field of the same row, which stands before it. */
  | { readonly by: 'field'; readonly column: number };

/** A number in a row's bytes. */
export interface Column {
  readonly at: number;
  readonly bytes: 1 | 2 | 4;
  readonly expected: Expected;
}

export interface RowLayout {
  readonly bytes: number;
  /** The time that such a row stands for, in milliseconds: its identity is the step it falls in. */
  readonly stepMs: number;
  readonly columns: readonly Column[];
}

const SECOND_MS = 1_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

type Habit = 'before' | 'nothing' | 'time' | 'date' | { readonly like: string };

/**
 * Cuts a structure into columns. Fields of other than 1, 2 or 4 bytes become bytes.
 *
 * @param habits how a field's value is expected; by nothing if not named
 */
function layout<const S extends Fields>(
  { bytes, fields }: Structure<S>,
  stepMs: number,
  habits: Readonly<Partial<Record<keyof S & string, Habit>>>,
): RowLayout {
  const columns: Column[] = [];
  const places = new Map<string, number>();
  let at = 0;
  for (const [name, field] of Object.entries(fields)) {
    places.set(name, columns.length);
    const expected = expectedBy(habits[name], places);
    const { bytes: width } = field;
    if (width === 1 || width === 2 || width === 4) columns.push({ at, bytes: width, expected });
    else for (let byte = 0; byte < width; byte += 1) columns.push({ at: at + byte, bytes: 1, expected });
    at += width;
  }
  return { bytes, stepMs, columns };
}

function expectedBy(habit: Habit | undefined, places: ReadonlyMap<string, number>): Expected {
  if (habit === undefined) return { by: 'nothing' };
  if (typeof habit === 'string') return { by: habit };
  const column = places.get(habit.like);
  if (column === undefined) throw new Error(`${habit.like} does not stand before the field that is like it`);
  return { by: 'field', column };
}

/** What each kind of row is. */
export const ROW_STRUCTURES = {
  watering: HistoryDetailedEntry,
  rain_hourly: RainHourly,
  rain_daily: RainDaily,
  environment_hourly: EnvironmentHourly,
  environment_daily: EnvironmentDaily,
} as const satisfies Readonly<Record<RowKind, unknown>>;

/** The rows as they come over BLE (device sheet, §2.2–§2.4). Changing a habit changes the chunks' format. */
export const ROW_LAYOUTS: Readonly<Record<RowKind, RowLayout>> = {
  watering: layout(HistoryDetailedEntry, SECOND_MS, { epoch: 'time', actual_copy: { like: 'actual' } }),
  rain_hourly: layout(RainHourly, HOUR_MS, { hour_epoch: 'time', quality: 'before' }),
  rain_daily: layout(RainDaily, DAY_MS, { day_epoch_utc: 'time', completeness_pct: 'before' }),
  environment_hourly: layout(EnvironmentHourly, HOUR_MS, {
    epoch: 'time',
    t_avg_x100: 'before',
    t_min_x100: { like: 't_avg_x100' },
    t_max_x100: { like: 't_avg_x100' },
    h_avg_x100: 'before',
    p_avg_pa: 'before',
  }),
  environment_daily: layout(EnvironmentDaily, DAY_MS, {
    date_yyyymmdd: 'date',
    t_avg_x100: 'before',
    t_min_x100: { like: 't_avg_x100' },
    t_max_x100: { like: 't_avg_x100' },
    h_avg_x100: 'before',
    h_min_x100: { like: 'h_avg_x100' },
    h_max_x100: { like: 'h_avg_x100' },
    p_avg_pa: 'before',
    samples: 'before',
  }),
};

/** A day as the number that the device gives it. */
export function dateNumber(ms: number): number {
  const date = new Date(ms);
  return date.getUTCFullYear() * 10_000 + (date.getUTCMonth() + 1) * 100 + date.getUTCDate();
}

/** The start of the day that a date number means, as if it were in UTC; undefined if there is no such day. */
export function dayOfDateNumber(number: number): number | undefined {
  const ms = Date.UTC(Math.floor(number / 10_000), (Math.floor(number / 100) % 100) - 1, number % 100);
  return number >= 1_00_00_00 && dateNumber(ms) === number ? ms : undefined;
}
