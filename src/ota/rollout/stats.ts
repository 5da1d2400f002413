import type { BreakdownEntry, Counts } from '../progress/release-counts.ts';
import type { Breakdown } from '../progress/report-plan.ts';

/** The rows people read; the long tail says little. */
const MOST_ROWS = 50;
/** Fewer failures than this are chance, not a pattern. */
const FEWEST_FOR_SUSPICION = 3;

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part * 10_000) / whole) / 100;
}

export function ratesOf({ failures, reached, finished }: Counts) {
  return { failure_pct: percent(failures, reached), finished_failure_pct: percent(failures, finished) };
}

/** The rows of one breakdown: hours newest first, others by failures, then by total. */
export function breakdownOf(entries: readonly BreakdownEntry[], by: Breakdown) {
  const total = (row: BreakdownEntry) => row.confirmed + row.failures + row.interrupted;
  return entries
    .filter((entry) => entry.by === by)
    .sort((a, b) => (by === 'hour' ? b.value.localeCompare(a.value) : b.failures - a.failures || total(b) - total(a)))
    .slice(0, MOST_ROWS)
    .map(({ value, confirmed, failures, interrupted }) => ({ value, confirmed, failures, interrupted }));
}

/** The one phone model that all failures come from, while devices with other models succeed. */
export function suspectModelOf(entries: readonly BreakdownEntry[]): string | undefined {
  const models = entries.filter(({ by }) => by === 'model');
  const failing = models.filter(({ failures }) => failures > 0);
  const [only] = failing;
  if (only === undefined || failing.length > 1 || only.failures < FEWEST_FOR_SUSPICION) return undefined;
  const othersDoWell = models.some(({ value, confirmed }) => value !== only.value && confirmed > 0);
  return othersDoWell ? only.value : undefined;
}
