import type { Run } from '../run.ts';

/** What runs came to. Every one of these adds up. */
export interface Totals {
  readonly measuredMl: number;
  readonly estimatedMl: number;
  /** From a run's start to its end, where both are known; a pause counts. */
  readonly minutes: number;
  readonly completed: number;
  readonly stopped: number;
  readonly interrupted: number;
  readonly outcomeUnknown: number;
  readonly skippedForRain: number;
  readonly skippedForFreeze: number;
  readonly skippedForOther: number;
  /** Of the runs that were not skipped. */
  readonly withoutVolume: number;
}

/** In the order in which they are stored: new ones go to the end. */
export const TOTALS = [
  'measuredMl',
  'estimatedMl',
  'minutes',
  'completed',
  'outcomeUnknown',
  'stopped',
  'withoutVolume',
  'skippedForRain',
  'skippedForFreeze',
  'interrupted',
  'skippedForOther',
] as const satisfies readonly (keyof Totals)[];

export const NOTHING: Totals = totalsBy(() => 0);

export function totalsBy(value: (name: keyof Totals) => number): Totals {
  return {
    measuredMl: value('measuredMl'),
    estimatedMl: value('estimatedMl'),
    minutes: value('minutes'),
    completed: value('completed'),
    stopped: value('stopped'),
    interrupted: value('interrupted'),
    outcomeUnknown: value('outcomeUnknown'),
    skippedForRain: value('skippedForRain'),
    skippedForFreeze: value('skippedForFreeze'),
    skippedForOther: value('skippedForOther'),
    withoutVolume: value('withoutVolume'),
  };
}

export function add(one: Totals, other: Totals): Totals {
  return totalsBy((name) => one[name] + other[name]);
}

export function subtract(one: Totals, other: Totals): Totals {
  return totalsBy((name) => one[name] - other[name]);
}

export function isNothing(totals: Totals): boolean {
  return TOTALS.every((name) => totals[name] === 0);
}

/** Runs that let water flow, or may have. */
export function runsIn(totals: Totals): number {
  return totals.completed + totals.stopped + totals.interrupted + totals.outcomeUnknown;
}

export function skipsIn(totals: Totals): number {
  return totals.skippedForRain + totals.skippedForFreeze + totals.skippedForOther;
}

/**
 * Litres of all runs whose litres are known; null if those of no run are, so that nobody takes the unknown for nothing. Skips
 * alone took 0.
 */
export function knownLitres(totals: Totals): number | null {
  const isUnknown = totals.withoutVolume > 0 && runsIn(totals) === totals.withoutVolume;
  return isUnknown ? null : (totals.measuredMl + totals.estimatedMl) / 1000;
}

export function totalsOf(run: Run): Totals {
  const counted = nameOf(run);
  const { volume, startedAt, endedAt } = run;
  const minutes = endedAt === null ? 0 : Math.round((endedAt - startedAt) / 60_000);
  return totalsBy((name) => {
    if (name === counted) return 1;
    if (name === 'minutes') return minutes;
    if (name === 'measuredMl') return volume.basis === 'measured' ? volume.millilitres : 0;
    if (name === 'estimatedMl') return volume.basis === 'estimated' ? volume.millilitres : 0;
    if (name === 'withoutVolume') return volume.basis === 'unknown' ? 1 : 0;
    return 0;
  });
}

function nameOf({ outcome, skipReason }: Run): keyof Totals {
  if (outcome === 'outcome_unknown') return 'outcomeUnknown';
  if (outcome !== 'skipped') return outcome;
  if (skipReason === 'rain') return 'skippedForRain';
  return skipReason === 'freeze' ? 'skippedForFreeze' : 'skippedForOther';
}
