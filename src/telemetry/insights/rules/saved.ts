import { localDayNumber, numberOfDay, startOfDay } from '../../rollups/local-day.ts';
import type { DayEntry } from '../../rollups/roll-up.ts';
import { runsIn } from '../../rollups/totals.ts';
import { groupedBy } from '../../runs/grouped-by.ts';
import type { InsightRule } from '../observed.ts';
import { median } from '../robust.ts';

/** Below that, the usual litres of a run are a guess. */
const LEAST_DAYS = 3;

/**
 * Water that rain and sensors saved: the runs that the device skipped for them, at the zone's usual litres a run. An estimate.
 * Frost saves nothing. A refused run is written down at each attempt, so that a day counts no more skips than the zone usually
 * has runs.
 */
export const saved: InsightRule = ({ days, zones, from, to }) => {
  const [first, last] = [localDayNumber(zones, from), localDayNumber(zones, to)];
  return [...groupedBy(days, ({ channel }) => channel)].flatMap(([channel, own]) => {
    const watered = own.filter(({ totals }) => runsIn(totals) > 0 && totals.withoutVolume === 0);
    if (watered.length < LEAST_DAYS) return [];
    const aRun = median(watered.map(({ totals }) => (totals.measuredMl + totals.estimatedMl) / runsIn(totals))) ?? 0;
    const aDay = Math.max(1, Math.round(median(watered.map(({ totals }) => runsIn(totals))) ?? 1));
    const skipped = own.filter((entry) => isWithin(entry, first, last) && skipsOf(entry) > 0);
    const skips = skipped.reduce((sum, entry) => sum + Math.min(aDay, skipsOf(entry)), 0);
    const begin = Math.min(...skipped.map(({ day }) => numberOfDay(day)));
    const litres = Math.round((skips * aRun) / 1000);
    if (litres === 0) return [];
    return [
      {
        ...{ kind: 'saved', channel, severity: 'info', since: Math.max(from, startOfDay(zones, begin)), until: null },
        ...{ restsOn: ['skip_rows', 'roll_ups'], isEstimate: true },
        facts: { litres, skipped_runs: skips, usual_litres: Math.round(aRun) / 1000 },
      },
    ];
  });
};

function skipsOf({ totals }: DayEntry): number {
  return totals.skippedForRain + totals.skippedForOther;
}

function isWithin({ day }: DayEntry, first: number, last: number): boolean {
  return numberOfDay(day) >= first && numberOfDay(day) <= last;
}
