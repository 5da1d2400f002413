import { localDayNumber, numberOfDay, startOfDay } from '../../rollups/local-day.ts';
import type { DayEntry } from '../../rollups/roll-up.ts';
import { add, knownLitres, NOTHING, runsIn, type Totals } from '../../rollups/totals.ts';
import { groupedBy } from '../../runs/grouped-by.ts';
import type { InsightRule } from '../observed.ts';

const DAYS_A_WEEK = 7;

/** Litres of a zone: of the owner's present day, week back and month, and in all of what is asked for, by roll-ups. */
export const waterUse: InsightRule = ({ days, zones, from, to }) => {
  const [first, today] = [localDayNumber(zones, from), localDayNumber(zones, to)];
  const asked = days.filter(({ day }) => numberOfDay(day) >= first && numberOfDay(day) <= today);
  return [...groupedBy(asked, ({ channel }) => channel)].flatMap(([channel, own]) => {
    const all = sumOf(own);
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
          ...litresOf('', own),
          measured_litres: all.measuredMl / 1000,
          estimated_litres: all.estimatedMl / 1000,
          ...litresOf(
            '_today',
            own.filter(({ day }) => numberOfDay(day) === today),
          ),
          ...litresOf(
            '_in_7_days',
            own.filter(({ day }) => numberOfDay(day) > today - DAYS_A_WEEK),
          ),
          latest_month: month,
          ...litresOf(
            '_in_month',
            own.filter(({ day }) => day.startsWith(month)),
          ),
          runs: runsIn(all),
        },
      },
    ];
  });
};

/** No litres where those of no run are known: the runs without volume say why. */
function litresOf(when: string, days: readonly DayEntry[]): Readonly<Record<string, number>> {
  const totals = sumOf(days);
  const litres = knownLitres(totals);
  return {
    ...(litres === null ? {} : { [`litres${when}`]: litres }),
    [`runs_without_volume${when}`]: totals.withoutVolume,
  };
}

function sumOf(days: readonly DayEntry[]): Totals {
  return days.reduce((sum, { totals }) => add(sum, totals), NOTHING);
}
