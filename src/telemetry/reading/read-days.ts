import { dayOfNumber, localDayNumber, startOfDay, type ZoneTimeline } from '../rollups/local-day.ts';
import { unpackRollUp } from '../rollups/packed.ts';
import type { RollUp } from '../rollups/roll-up.ts';
import { monthOf, startOfMonth } from '../rows/periods.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';
import { boundsOfPeriod, type PeriodKind, periodOf } from './periods.ts';
import type { Garden, Stretch } from './read-runs.ts';

/** Days of the owner's by their numbers since 1970, both included. */
export interface Days {
  readonly first: number;
  readonly last: number;
}

/** The days of all periods that a stretch touches. */
export function wholeDays(zones: ZoneTimeline, { from, to }: Stretch, kind: PeriodKind): Days {
  const first = localDayNumber(zones, from);
  const last = localDayNumber(zones, Math.max(from, to - 1));
  return {
    first: boundsOfPeriod(zones, periodOf(dayOfNumber(first), kind)).firstDay,
    last: boundsOfPeriod(zones, periodOf(dayOfNumber(last), kind)).lastDay,
  };
}

/** What is rolled up of some days. The starts by hour are those of the whole months that the days lie in. */
export async function readDays(
  store: Pick<TelemetryStore, 'rollUps'>,
  { uid, hwId }: Garden,
  zones: ZoneTimeline,
  { first, last }: Days,
): Promise<RollUp> {
  const [from, to] = [startOfDay(zones, first), startOfDay(zones, last + 1)];
  const stored = await store.rollUps(uid, hwId, monthOf(from), monthOf(Math.max(from, to - 1)));
  const months = stored.map(({ month, data }) => unpackRollUp(startOfMonth(month), data));
  const [firstDay, lastDay] = [dayOfNumber(first), dayOfNumber(last)];
  return {
    days: months.flatMap(({ days }) => days.filter(({ day }) => day >= firstDay && day <= lastDay)),
    startsByHour: Array.from({ length: 24 }, (_, hour) =>
      months.reduce((sum, { startsByHour }) => sum + (startsByHour[hour] ?? 0), 0),
    ),
  };
}
