import { localDayNumber, numberOfDay, startOfDay } from '../../rollups/local-day.ts';
import type { DayEntry } from '../../rollups/roll-up.ts';
import { add, NOTHING, runsIn } from '../../rollups/totals.ts';
import { groupedBy } from '../../runs/grouped-by.ts';
import type { InsightRule } from '../observed.ts';

const DAYS_A_WEEK = 7;

/** Litres of a zone: of the owner's present day, week back and month, and in all of what is asked for, by roll-ups. */
export const waterUse: InsightRule = ({ days, zones, from, to }) => {
  const [first, today] = [localDayNumber(zones, from), localDayNumber(zones, to)];
  const asked = days.filter(({ day }) => numberOfDay(day) >= first && numberOfDay(day) <= today);
  return [...groupedBy(asked, ({ channel }) => channel)].flatMap(([channel, own]) => {
    const all = own.reduce((sum, { totals }) => add(sum, totals), NOTHING);
    if (runsIn(all) === 0) return [];
    const begin = Math.min(...own.map(({ day }) => numberOfDay(day)));
    const month = own.at(-1)?.day.slice(0, 7) ?? '';
    return [
      {
        ...{
          kind: 'water_use',
          channel,
          severity: 'info',
          since: Math.max(from, startOfDay(zones, begin)),
          until: null,
        },
        ...{ restsOn: ['roll_ups'], isEstimate: all.estimatedMl > 0 },
        facts: {
          litres: litresOf(own),
          measured_litres: all.measuredMl / 1000,
          estimated_litres: all.estimatedMl / 1000,
          litres_today: litresOf(own.filter(({ day }) => numberOfDay(day) === today)),
          litres_in_7_days: litresOf(own.filter(({ day }) => numberOfDay(day) > today - DAYS_A_WEEK)),
          latest_month: month,
          litres_in_month: litresOf(own.filter(({ day }) => day.startsWith(month))),
          ...{ runs: runsIn(all), runs_without_volume: all.withoutVolume },
        },
      },
    ];
  });
};

function litresOf(days: readonly DayEntry[]): number {
  return days.reduce((sum, { totals }) => sum + totals.measuredMl + totals.estimatedMl, 0) / 1000;
}
