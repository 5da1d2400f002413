import {
  dayOfNumber,
  type LocalDay,
  localDayNumber,
  numberOfDay,
  startOfDay,
  type ZoneTimeline,
} from '../rollups/local-day.ts';

export const RESOLUTIONS = ['hour', 'day', 'month', 'year'] as const;
export type Resolution = (typeof RESOLUTIONS)[number];
export type PeriodKind = Exclude<Resolution, 'hour'>;

/** The owner's day, month or year. */
export interface Period {
  readonly period: string;
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly until: number;
  readonly days: number;
}

const LETTERS: Readonly<Record<PeriodKind, number>> = { day: 10, month: 7, year: 4 };

export function periodOf(day: LocalDay, kind: PeriodKind): string {
  return day.slice(0, LETTERS[kind]);
}

/** The periods that a stretch of time touches, as numbers of their first and last days. */
export function daysTouched(zones: ZoneTimeline, { from, to }: { readonly from: number; readonly to: number }) {
  return { first: localDayNumber(zones, from), last: localDayNumber(zones, Math.max(from, to - 1)) };
}

/** @param period as `periodOf` gives it */
export function boundsOfPeriod(zones: ZoneTimeline, period: string): Period {
  const [year = 0, month, day] = period.split('-').map(Number);
  const first = dayNumber(year, month ?? 1, day ?? 1);
  const next = day === undefined ? dayNumber(month === undefined ? year + 1 : year, (month ?? 0) + 1, 1) : first + 1;
  return { period, at: startOfDay(zones, first), until: startOfDay(zones, next), days: next - first };
}

/** The whole periods that a stretch touches, as days. */
export function wholeDays(
  zones: ZoneTimeline,
  stretch: { readonly from: number; readonly to: number },
  kind: PeriodKind,
) {
  const { first, last } = daysTouched(zones, stretch);
  const end = boundsOfPeriod(zones, periodOf(dayOfNumber(last), kind));
  const begin = boundsOfPeriod(zones, periodOf(dayOfNumber(first), kind));
  return { from: begin.at, to: end.until };
}

function dayNumber(year: number, month: number, day: number): number {
  const start = new Date(Date.UTC(2000, month - 1, day));
  start.setUTCFullYear(year + (start.getUTCFullYear() - 2000));
  return numberOfDay(start.toISOString().slice(0, 10) as LocalDay);
}
