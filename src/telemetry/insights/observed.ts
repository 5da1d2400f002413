import type { Reading, Row } from '../evidence.ts';
import type { ZoneTimeline } from '../rollups/local-day.ts';
import type { DayEntry } from '../rollups/roll-up.ts';
import type { Run } from '../run.ts';
import type { Insight } from './insight.ts';

/** Everything that insights of a stretch are drawn from. Times are milliseconds since 1970. */
export interface Observed {
  /** What is asked for; what came earlier is only compared with. */
  readonly from: number;
  /** As seen from this moment, which may be in the past: nothing that was read later is in here. */
  readonly to: number;
  readonly zones: ZoneTimeline;
  /** Live samples, the oldest first. */
  readonly readings: readonly Reading[];
  /** The oldest first. */
  readonly runs: readonly Run[];
  /** The rows of the runs. */
  readonly wateringRows: readonly Row[];
  readonly reboots: readonly number[];
  /** What zones took, by the owner's days. */
  readonly days: readonly DayEntry[];
  readonly rainHours: readonly Row[];
  readonly rainDays: readonly Row[];
  readonly weatherHours: readonly Row[];
  readonly weatherDays: readonly Row[];
}

/** A device of which nothing is known. */
export function nothingObserved(from: number, to: number): Observed {
  return {
    ...{ from, to, zones: [], readings: [], runs: [], wateringRows: [], reboots: [], days: [] },
    ...{ rainHours: [], rainDays: [], weatherHours: [], weatherDays: [] },
  };
}

/** One way to find insights. Says nothing where the evidence is thin. */
export type InsightRule = (observed: Observed) => readonly Insight[];
