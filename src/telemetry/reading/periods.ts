import { type LocalDay, numberOfDay, startOfDay, type ZoneTimeline } from '../rollups/local-day.ts';

export const RESOLUTIONS = ['hour', 'day', 'month', 'year'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];
export type PeriodKind = Exclude<Resolution, 'hour'>;

/** The owner's day, month or year. */
export interface Period {
  readonly period: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly until: number;
  /** Its days, by their numbers since 1970. */
  readonly firstDay: number;
  readonly lastDay: number;
}

const LETTERS: Readonly<Record<PeriodKind, number>> = { day: 10, month: 7, year: 4 };

export function periodOf(day: LocalDay, kind: PeriodKind): string {
  return day.slice(0, LETTERS[kind]);
}

/** @param period as `periodOf` gives it */
export function boundsOfPeriod(zones: ZoneTimeline, period: string): Period {
  const [year = 0, month, day] = period.split('-').map(Number);
  const first = dayNumber(year, month ?? 1, day ?? 1);
  const next = day === undefined ? dayNumber(month === undefined ? year + 1 : year, (month ?? 0) + 1, 1) : first + 1;
  return { period, at: startOfDay(zones, first), until: startOfDay(zones, next), firstDay: first, lastDay: next - 1 };
}

function dayNumber(year: number, month: number, day: number): number {
  const start = new Date(Date.UTC(2000, month - 1, day));
  start.setUTCFullYear(year + (start.getUTCFullYear() - 2000));
  return numberOfDay(start.toISOString().slice(0, 10) as LocalDay);
}
