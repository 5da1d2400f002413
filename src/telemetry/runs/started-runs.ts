import type { Amount } from '@autowatering/device-data';
import { groupedBy } from './grouped-by.ts';
import type { History, StartEvent, StopEvent } from './watering-events.ts';

const MINUTE_MS = 60_000;
/** The device takes no run of more than 1,440 minutes. */
const LONGEST_RUN_MS = 1_440 * MINUTE_MS;
/** A device that has not learned a zone's flow takes more than this for a burst pipe (device sheet, §2.6). */
const MOST_LITRES_A_MINUTE = 20;
const LEAST_LITRES_A_MINUTE = 0.5;

/** A start with what its history says of the end. */
export interface StartedRun {
  readonly start: StartEvent;
  readonly stop: StopEvent | null;
  /** By the device's clock: when the run had ended at the latest, as the next one began, of whichever channel. */
  readonly overBy: number;
}

export interface Paired {
  readonly started: readonly StartedRun[];
  /** Their starts were not read, or are lost: the device overwrites them first. */
  readonly stopsAlone: readonly StopEvent[];
}

/**
 * Gives each stop to the nearest earlier start of its channel that can have been running: one valve is open at a time,
 * and nothing runs longer than it was told to.
 */
export function pairStops({ starts, stops }: Pick<History, 'starts' | 'stops'>): Paired {
  const runs = starts.map((start, index) => ({ start, stop: null as StopEvent | null, overBy: overBy(starts, index) }));
  const ofChannel = groupedBy(runs, ({ start }) => start.channel);
  const stopsAlone: StopEvent[] = [];
  for (const stop of stops) {
    const run = ofChannel
      .get(stop.channel)
      ?.findLast(
        ({ start, overBy, stop: earlier }) =>
          start.clock <= stop.clock && stop.clock <= overBy && stop.actual <= start.target.value && earlier === null,
      );
    if (run === undefined) stopsAlone.push(stop);
    else run.stop = stop;
  }
  return { started: runs, stopsAlone };
}

function overBy(starts: readonly StartEvent[], index: number): number {
  const own = starts[index]?.clock ?? 0;
  let next = index + 1;
  while (starts[next]?.clock === own) next += 1;
  return Math.min(starts[next]?.clock ?? Number.POSITIVE_INFINITY, own + LONGEST_RUN_MS);
}

/** How long a run takes at least if nobody stops it. By litres, as much as the device lets pass. */
export function leastDurationMs(target: Amount): number {
  return durationMs(target, MOST_LITRES_A_MINUTE);
}

/** How long a run takes at most if nobody pauses it. By litres, as the weakest drip line lets them pass. */
export function mostDurationMs(target: Amount): number {
  return durationMs(target, LEAST_LITRES_A_MINUTE);
}

function durationMs({ unit, value }: Amount, litresAMinute: number): number {
  const minutes = unit === 'minutes' ? value : value / litresAMinute;
  return Math.min(minutes * MINUTE_MS, LONGEST_RUN_MS);
}
