import type { Amount, SkipReason, WateringTrigger } from '@autowatering/device-data';

/** What became of a run. Nothing is called completed that nobody saw. */
export type RunOutcome = 'completed' | 'stopped' | 'skipped' | 'interrupted' | 'outcome_unknown';

/** What an answer about a run rests on. */
export type RunBasis = 'start_row' | 'stop_row' | 'skip_row' | 'watched' | 'reboot';

export type RunVolume =
  /** By the flow meter, while somebody watched. `isMinimum`: water flowed before or after that, unseen. */
  | { readonly basis: 'measured'; readonly millilitres: number; readonly isMinimum: boolean }
  /** By the device's whole litres, or by the zone's usual flow. */
  | { readonly basis: 'estimated'; readonly millilitres: number }
  | { readonly basis: 'unknown' };

/** A watering run, put together from evidence. */
export interface Run {
  /** Stays the same when evidence comes later, as long as the start does. */
  readonly runId: string;
  readonly channel: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly isClockLost: boolean;
  readonly trigger: WateringTrigger;
  readonly target: Amount | null;
  readonly outcome: RunOutcome;
  readonly skipReason: SkipReason | null;
  readonly volume: RunVolume;
  readonly restsOn: readonly RunBasis[];
}
