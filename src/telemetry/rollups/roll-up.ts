import type { Run } from '../run.ts';
import { dayOfNumber, type LocalDay, localDayNumber, localHourOf, type ZoneTimeline } from './local-day.ts';
import { add, NOTHING, type Totals, totalsOf } from './totals.ts';

/** From a moment on until before another one, in milliseconds since 1970. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What a zone took on a day of the owner's. */
export interface DayEntry {
  readonly day: LocalDay;
  readonly channel: number;
  readonly totals: Totals;
}

/** The runs that began in a stretch: a UTC month. */
export interface RollUp {
  /** By day and channel; none without runs. Days at the ends may be of the neighbouring months, in the owner's zone. */
  readonly days: readonly DayEntry[];
  /** How many runs, skipped ones not counted, began in each hour of the owner's day: 24 numbers. */
  readonly startsByHour: readonly number[];
}

/** Counts the runs that began in a stretch under the days that the owner had then. */
export function rollUp(runs: readonly Run[], zones: ZoneTimeline, { from, to }: Stretch): RollUp {
  const byDay = new Map<number, Totals>();
  const startsByHour = new Array<number>(24).fill(0);
  for (const run of runs) {
    if (run.startedAt < from || run.startedAt >= to) continue;
    const key = localDayNumber(zones, run.startedAt) * CHANNELS + run.channel;
    byDay.set(key, add(byDay.get(key) ?? NOTHING, totalsOf(run)));
    const hour = localHourOf(zones, run.startedAt);
    if (run.outcome !== 'skipped') startsByHour[hour] = (startsByHour[hour] ?? 0) + 1;
  }
  const keys = [...byDay.keys()].sort((one, other) => one - other);
  return {
    days: keys.map((key) => ({
      day: dayOfNumber(Math.floor(key / CHANNELS)),
      channel: key % CHANNELS,
      totals: byDay.get(key) ?? NOTHING,
    })),
    startsByHour,
  };
}

const CHANNELS = 8;
