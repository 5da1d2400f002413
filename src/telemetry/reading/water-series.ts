import { localDayOf, wallClock, type ZoneTimeline } from '../rollups/local-day.ts';
import type { DayEntry } from '../rollups/roll-up.ts';
import { add, knownLitres, type Totals, totalsOf } from '../rollups/totals.ts';
import type { Run } from '../run.ts';
import { groupedBy } from '../runs/grouped-by.ts';
import { boundsOfPeriod, type PeriodKind, periodOf, type Resolution } from './periods.ts';
import type { Point } from './point.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** Litres by the owner's days, months or years; those without runs have no point. */
export function litresByPeriod(days: readonly DayEntry[], kind: PeriodKind, zones: ZoneTimeline): readonly Point[] {
  const groups = groupedBy(days, ({ day }) => periodOf(day, kind));
  return [...groups]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([period, entries]) =>
      litresPoint(
        boundsOfPeriod(zones, period),
        entries.map(({ totals }) => totals),
      ),
    );
}

/** Litres by the owner's hours; a run's are all in the hour in which it began. */
export function litresByHour(runs: readonly Run[], zones: ZoneTimeline): readonly Point[] {
  return [...groupedBy(runs, ({ startedAt }) => startOfHour(zones, startedAt))].map(([at, began]) =>
    litresPoint(placeOf(at, 'hour', zones), began.map(totalsOf)),
  );
}

/** Litres a minute, of the runs that somebody watched from start to end. */
export function flowSeries(runs: readonly Run[], resolution: Resolution, zones: ZoneTimeline): readonly Point[] {
  const watched = runs.flatMap((run) => {
    const litres = run.volume.basis === 'measured' && !run.volume.isMinimum ? run.volume.millilitres / 1000 : 0;
    const minutes = ((run.endedAt ?? run.startedAt) - run.startedAt) / MINUTE_MS;
    return litres > 0 && minutes >= 1 ? [{ at: run.startedAt, litres, minutes }] : [];
  });
  const groups = groupedBy(watched, ({ at }) => placeOf(at, resolution, zones).at);
  return [...groups].map(([start, began]) => {
    const flows = began.map(({ litres, minutes }) => rounded(litres / minutes));
    const total = (amount: (run: (typeof began)[number]) => number) => began.reduce((sum, run) => sum + amount(run), 0);
    const { at, until, period } = placeOf(start, resolution, zones);
    return {
      ...{ at, until, period, value: rounded(total(({ litres }) => litres) / total(({ minutes }) => minutes)) },
      ...{ min: Math.min(...flows), max: Math.max(...flows), basis: 'measured', litres: null },
    };
  });
}

type Place = Pick<Point, 'at' | 'until' | 'period'>;

function placeOf(at: number, resolution: Resolution, zones: ZoneTimeline): Place {
  if (resolution !== 'hour') {
    return boundsOfPeriod(zones, periodOf(localDayOf(zones, at), resolution));
  }
  const start = startOfHour(zones, at);
  return { at: start, until: start + HOUR_MS, period: null };
}

function litresPoint({ at, until, period }: Place, parts: readonly Totals[]): Point {
  const totals = parts.reduce(add);
  const [measured, estimated] = [totals.measuredMl / 1000, totals.estimatedMl / 1000];
  const value = knownLitres(totals);
  return {
    ...{ at, until, period, value, min: value, max: value, basis: basisOf(totals) },
    litres: { measured, estimated, runsWithoutVolume: totals.withoutVolume },
  };
}

function basisOf({ withoutVolume, estimatedMl }: Totals): Point['basis'] {
  if (withoutVolume > 0) return 'unknown';
  return estimatedMl > 0 ? 'estimated' : 'measured';
}

/** By the owner's clock, which may be half an hour off from UTC's hours. */
function startOfHour(zones: ZoneTimeline, at: number): number {
  return at - (((wallClock(zones, at) % HOUR_MS) + HOUR_MS) % HOUR_MS);
}

function rounded(litres: number): number {
  return Math.round(litres * 1000) / 1000;
}
