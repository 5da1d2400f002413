import type { Evidence } from '../evidence.ts';
import { type Month, monthAfter, startOfMonth } from '../rows/periods.ts';
import { runsOf } from '../runs/runs.ts';
import type { ZoneTimeline } from './local-day.ts';
import { packRollUp } from './packed.ts';
import { rollUp } from './roll-up.ts';

/** Counts the runs that started in a month, by the owner's days, and packs the result. */
export function rollUpMonth(evidence: Evidence, zones: ZoneTimeline, month: Month): Uint8Array {
  const [from, to] = [startOfMonth(month), startOfMonth(monthAfter(month))];
  return packRollUp(from, rollUp(runsOf(evidence), zones, { from, to }));
}
