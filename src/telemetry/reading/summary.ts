import { RainDaily, RainHourly } from '@autowatering/device-data';
import type { Row } from '../evidence.ts';
import type { DayEntry } from '../rollups/roll-up.ts';
import { add, NOTHING, runsIn, skipsIn, type Totals } from '../rollups/totals.ts';
import { groupedBy } from '../runs/grouped-by.ts';
import { deviceDays } from './device-days.ts';
import type { Measured } from './weather-rows.ts';

const DAY_MS = 24 * 60 * 60_000;

export interface Summary {
  readonly water: WaterSummary;
  readonly channels: readonly (WaterSummary & { readonly channel: number })[];
  /** With the most runs; null without runs. */
  readonly busiestChannel: number | null;
  readonly busiestHour: number | null;
  readonly rain: RainSummary | null;
  readonly temperature: Extremes | null;
  readonly humidity: Extremes | null;
}

export interface WaterSummary {
  readonly totals: Totals;
  readonly runs: number;
  readonly skips: number;
  /** Of the runs whose end is known; null if no end is. */
  readonly successShare: number | null;
  /** Of the runs whose litres are known. */
  readonly meanMl: number | null;
}

export interface RainSummary {
  readonly millimetres: number;
  readonly meanPerDay: number;
  readonly mostInAnHour: number;
  readonly rainyDays: number;
  readonly dryDays: number;
  /** Days in a row without rain; a day of which nothing is known ends it. */
  readonly longestDrySpell: number;
}

export interface Extremes {
  readonly min: number;
  readonly average: number;
  readonly max: number;
}

/** @param weather rows of which the device’s days are made, of rain and environment */
export function summarize(
  days: readonly DayEntry[],
  startsByHour: readonly number[],
  weather: readonly Row[],
): Summary {
  const channels = [...groupedBy(days, ({ channel }) => channel)]
    .map(([channel, entries]) => ({ channel, ...waterSummary(entries) }))
    .sort((one, other) => one.channel - other.channel);
  return {
    water: waterSummary(days),
    channels,
    busiestChannel: busiest(channels.map(({ channel, runs }) => ({ name: channel, runs }))),
    busiestHour: busiest(startsByHour.map((runs, hour) => ({ name: hour, runs }))),
    rain: rainSummary(weather),
    temperature: extremesOf(deviceDays('temperature', weather)),
    humidity: extremesOf(deviceDays('humidity', weather)),
  };
}

function waterSummary(entries: readonly DayEntry[]): WaterSummary {
  const totals = entries.reduce((sum, entry) => add(sum, entry.totals), NOTHING);
  const runs = runsIn(totals);
  const known = runs - totals.outcomeUnknown;
  const withVolume = runs - totals.withoutVolume;
  return {
    ...{ totals, runs, skips: skipsIn(totals) },
    successShare: known === 0 ? null : totals.completed / known,
    meanMl: withVolume === 0 ? null : Math.round((totals.measuredMl + totals.estimatedMl) / withVolume),
  };
}

function busiest(entries: readonly { readonly name: number; readonly runs: number }[]): number | null {
  const most = Math.max(0, ...entries.map(({ runs }) => runs));
  return most === 0 ? null : (entries.find(({ runs }) => runs === most)?.name ?? null);
}

function rainSummary(rows: readonly Row[]): RainSummary | null {
  const days = deviceDays('rain', rows);
  if (days.length === 0) return null;
  const total = days.reduce((sum, { value }) => sum + value, 0);
  const hours = rows
    .filter(({ isClockLost }) => !isClockLost)
    .map(({ kind, bytes }) =>
      kind === 'rain_daily'
        ? (RainDaily.read(bytes)?.max_hour_x100 ?? 0)
        : kind === 'rain_hourly'
          ? (RainHourly.read(bytes)?.mm_x100 ?? 0)
          : 0,
    );
  return {
    millimetres: rounded(total),
    meanPerDay: rounded(total / days.length),
    mostInAnHour: Math.max(...hours) / 100,
    rainyDays: days.filter(({ value }) => value > 0).length,
    dryDays: days.filter(({ value }) => value === 0).length,
    longestDrySpell: longestDrySpell(days),
  };
}

function longestDrySpell(days: readonly Measured[]): number {
  let [longest, current, before] = [0, 0, 0];
  for (const { at, value } of [...days].sort((one, other) => one.at - other.at)) {
    current = value > 0 ? 0 : at - before === DAY_MS ? current + 1 : 1;
    before = at;
    longest = Math.max(longest, current);
  }
  return longest;
}

function extremesOf(days: readonly Measured[]): Extremes | null {
  if (days.length === 0) return null;
  return {
    min: Math.min(...days.map(({ min }) => min)),
    average: rounded(days.reduce((sum, { value }) => sum + value, 0) / days.length),
    max: Math.max(...days.map(({ max }) => max)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
