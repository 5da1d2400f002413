import type { Insight } from '../insight.ts';
import type { InsightRule } from '../observed.ts';
import { visitsIn } from '../visits.ts';

export const DAY_MS = 24 * 60 * 60_000;
/** Nobody is told earlier. The device keeps 30 days of hours, and 30 rows a zone. */
export const LEAST_SILENT_DAYS = 10;
/** An owner who comes by every other week is not told each time. */
const BEYOND_HABIT = 2;
const HABIT_MS = 90 * DAY_MS;

/** A device that nobody has heard of for days, and for much longer than its owner usually stays away. */
export const unheard: InsightRule = (observed) => {
  const visits = visitsIn(observed);
  return visits.flatMap((at, index): readonly Insight[] => {
    const next = visits[index + 1];
    const silence = (next ?? observed.to) - at;
    if (silence < LEAST_SILENT_DAYS * DAY_MS || silence < BEYOND_HABIT * usualAbsence(visits.slice(0, index + 1)))
      return [];
    return [
      {
        ...{ kind: 'unheard', channel: null, severity: 'warning', since: at, until: next ?? null, restsOn: ['visits'] },
        ...{ isEstimate: false, facts: { days: Math.floor(silence / DAY_MS) } },
      },
    ];
  });
};

/** The longest time between two of the last visits. */
function usualAbsence(visits: readonly number[]): number {
  const recent = visits.filter((at) => at >= (visits.at(-1) ?? 0) - HABIT_MS);
  return Math.max(0, ...recent.map((at, index) => at - (recent[index - 1] ?? at)));
}
