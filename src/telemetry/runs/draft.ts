import type { WatchedSession } from '../evidence.ts';
import type { Run } from '../run.ts';
import type { StopEvent } from './watering-events.ts';

/** A run before it is known how much water it took: a zone's usual flow is learned from the runs themselves. */
export interface Draft extends Omit<Run, 'runId' | 'volume'> {
  readonly stop: StopEvent | null;
  readonly sessions: readonly WatchedSession[];
}
