import type { PlantedFault } from './planted-fault.ts';

/** How a run really ended. */
export type TrueEnd = 'completed' | 'stopped' | 'no_flow' | 'high_flow' | 'power_lost';

/** A run as it was, whatever the device tells of it. Times are milliseconds since 1970. */
export interface TrueRun {
  readonly zone: number;
  readonly trigger: 'manual' | 'schedule';
  readonly startedAt: number;
  readonly endedAt: number;
  /** Out of the zone's own nozzles. */
  readonly millilitres: number;
  /** Through the meter in that time: with leaks and valves that are stuck. */
  readonly meteredMl: number;
  readonly end: TrueEnd;
}

/** A run that did not begin. */
export interface TrueSkip {
  readonly zone: number;
  readonly at: number;
  readonly why: 'rain' | 'freeze' | 'locked' | 'queue_full';
}

/** An alarm that the firmware meant to raise. */
export interface TrueAlarm {
  readonly at: number;
  readonly code: number;
  readonly data: number;
  /** Whether anybody was subscribed: otherwise the firmware forgets it. */
  readonly isKept: boolean;
}

/** A day in UTC. */
export interface TrueDay {
  /** Its beginning. */
  readonly at: number;
  /** In ml. */
  readonly zones: readonly number[];
  readonly leakedMl: number;
  readonly rainMm: number;
}

/** What really happened in a garden. The device does not know it; tests and reports compare with it. */
export interface GardenTruth {
  readonly faults: readonly PlantedFault[];
  readonly runs: readonly TrueRun[];
  readonly skips: readonly TrueSkip[];
  readonly alarms: readonly TrueAlarm[];
  readonly days: readonly TrueDay[];
  readonly reboots: readonly number[];
  /** The run that goes on. */
  readonly running: Omit<TrueRun, 'endedAt' | 'end'> | undefined;
}

/** Writes the truth down. */
export class TruthLog implements GardenTruth {
  readonly faults: PlantedFault[] = [];
  readonly runs: TrueRun[] = [];
  readonly skips: TrueSkip[] = [];
  readonly alarms: TrueAlarm[] = [];
  readonly days: TrueDay[] = [];
  readonly reboots: number[] = [];
  running: GardenTruth['running'];
}
