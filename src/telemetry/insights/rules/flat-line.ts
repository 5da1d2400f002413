import { EnvironmentDaily, EnvironmentHourly } from '@autowatering/device-data';
import type { Row } from '../../evidence.ts';
import { episodesOf, type Signal } from '../episodes.ts';
import type { InsightRule } from '../observed.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
/** After an absence the device fills up to 24 hours with one value; no weather stands still for longer. */
const LEAST_HOURS = 30;
/** Hours filled in can make one day flat, but never two. */
const LEAST_DAYS = 2;
const LEAST_SAMPLES = 20;

/** A weather sensor whose values stand still: temperature, humidity and pressure, all to the last digit. */
export const flatLine: InsightRule = ({ weatherHours, weatherDays, to }) => {
  const hours = weatherHours.flatMap((row) => {
    const read = row.isClockLost ? undefined : EnvironmentHourly.read(row.bytes);
    return read === undefined ? [] : [{ at: row.at, value: `${read.t_avg_x100} ${read.h_avg_x100} ${read.p_avg_pa}` }];
  });
  const signals: readonly Signal[] = [
    ...standing(hours, HOUR_MS, LEAST_HOURS).map((one) => ({ ...one, basis: 'weather_hours' as const })),
    ...standing(flatDays(weatherDays), DAY_MS, LEAST_DAYS).map((one) => ({ ...one, basis: 'weather_days' as const })),
  ];
  return episodesOf(signals, { quietMs: DAY_MS + HOUR_MS, to }).map(({ since, until, restsOn }) => ({
    ...{ kind: 'flat_line', channel: null, severity: 'warning', since, until, restsOn, isEstimate: false },
    facts: { hours: Math.round(((until ?? to) - since) / HOUR_MS) },
  }));
};

interface Value {
  readonly at: number;
  readonly value: string;
}

function flatDays(rows: readonly Row[]): readonly Value[] {
  return rows.flatMap((row) => {
    const read = row.isClockLost ? undefined : EnvironmentDaily.read(row.bytes);
    if (read === undefined || read.samples < LEAST_SAMPLES) return [];
    const isFlat = read.t_min_x100 === read.t_max_x100 && read.h_min_x100 === read.h_max_x100;
    // Days that are not flat are all different.
    return [{ at: row.at, value: isFlat ? `${read.t_avg_x100} ${read.h_avg_x100}` : `at ${row.at}` }];
  });
}

/** Stretches of equal values, one step after the other, at least so many. */
function standing(values: readonly Value[], stepMs: number, least: number): readonly Omit<Signal, 'basis'>[] {
  const signals: Omit<Signal, 'basis'>[] = [];
  let first = 0;
  for (let index = 1; index <= values.length; index += 1) {
    const [before, now] = [values[index - 1], values[index]];
    if (before === undefined) continue;
    if (now !== undefined && now.value === before.value && now.at - before.at === stepMs) continue;
    const since = values[first];
    if (index - first >= least && since !== undefined) signals.push({ at: since.at, lastsUntil: before.at + stepMs });
    first = index;
  }
  return signals;
}
