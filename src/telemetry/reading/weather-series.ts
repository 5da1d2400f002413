import { dayOfNumber, localDayOf, type ZoneTimeline } from '../rollups/local-day.ts';
import { groupedBy } from '../runs/grouped-by.ts';
import { boundsOfPeriod, type PeriodKind, periodOf } from './periods.ts';
import type { Point } from './point.ts';
import { type Measured, together, type WeatherMeasure } from './weather-rows.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export function hourPoints(hours: readonly Measured[]): readonly Point[] {
  return hours.map(({ at, value, min, max }) => ({
    ...{ at, until: at + HOUR_MS, period: null, value, min, max, basis: 'measured', litres: null },
  }));
}

/**
 * By the owner's days, from hours. Where hours are missing, the device's own day stands for the owner's, as an estimate: it
 * begins at another time. Without that, what hours there are.
 *
 * @param days by the device's calendar
 */
export function dayPoints(
  measure: WeatherMeasure,
  { hours, days }: { readonly hours: readonly Measured[]; readonly days: readonly Measured[] },
  zones: ZoneTimeline,
): readonly Point[] {
  const byDay = groupedBy(hours, ({ at }) => localDayOf(zones, at));
  const deviceDays = new Map(days.map((day) => [dayOfNumber(Math.floor(day.at / DAY_MS)), day]));
  return [...new Set([...byDay.keys(), ...deviceDays.keys()])].sort().map((day) => {
    const { period, at, until } = boundsOfPeriod(zones, day);
    const measured = byDay.get(day) ?? [];
    const isWhole = measured.length * HOUR_MS >= until - at;
    const deviceDay = deviceDays.get(day);
    const values = isWhole || deviceDay === undefined ? together(measure, measured) : deviceDay;
    const { value, min, max } = values;
    return { at, until, period, value, min, max, basis: isWhole ? 'measured' : 'estimated', litres: null };
  });
}

/** By the owner's months or years, from the device's days: their edges differ by hours at most. */
export function longPoints(
  measure: WeatherMeasure,
  days: readonly Measured[],
  kind: Exclude<PeriodKind, 'day'>,
  zones: ZoneTimeline,
): readonly Point[] {
  const groups = groupedBy(days, ({ at }) => periodOf(dayOfNumber(Math.floor(at / DAY_MS)), kind));
  return [...groups].map(([name, measured]) => {
    const { period, at, until, firstDay, lastDay } = boundsOfPeriod(zones, name);
    const isWhole = measured.length === lastDay - firstDay + 1 && measured.every((day) => day.isWhole);
    return {
      ...{ at, until, period, ...together(measure, measured) },
      ...{ basis: isWhole ? 'measured' : 'estimated', litres: null },
    };
  });
}
