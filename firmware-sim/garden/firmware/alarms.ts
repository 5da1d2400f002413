import type { Agenda } from '../agenda.ts';
import type { TruthLog } from '../world/garden-truth.ts';
import type { FirmwareBehaviour } from './behaviour.ts';
import type { DeviceClock } from './device-clock.ts';

export const ALARM = {
  none: 0,
  no_flow: 1,
  unexpected_flow: 2,
  freeze: 3,
  high_flow: 4,
  low_flow: 5,
  mainline_leak: 6,
  channel_lock: 7,
  global_lock: 8,
} as const;

export interface RaisedAlarm {
  readonly code: number;
  readonly data: number;
  readonly epochS: number;
}

interface AlarmsOptions {
  readonly agenda: Agenda;
  readonly clock: DeviceClock;
  readonly behaviour: FirmwareBehaviour;
  readonly truth: TruthLog;
  /** Whether a phone is subscribed to alarms. */
  readonly isHeard: () => boolean;
  readonly changed: () => void;
}

/** The one slot for alarms: the last one wins, and what nobody listens to is not even stored (device sheet, §0.4). */
export class Alarms {
  readonly #options: AlarmsOptions;
  #slot: RaisedAlarm | undefined;

  constructor(options: AlarmsOptions) {
    this.#options = options;
  }

  get current(): RaisedAlarm | undefined {
    return this.#slot;
  }

  get isHeard(): boolean {
    return this.#options.isHeard();
  }

  raise(code: number, data: number): void {
    const { agenda, clock, behaviour, truth } = this.#options;
    const isKept = this.isHeard || behaviour === 'fixed';
    truth.alarms.push({ at: agenda.now, code, data, isKept });
    if (!isKept) return;
    this.#slot = { code, data, epochS: clock.epochS(agenda.now) };
    this.#options.changed();
  }

  clear(): void {
    this.#slot = undefined;
    this.#options.changed();
  }

  /** A restart forgets it without a word. */
  forget(): void {
    this.#slot = undefined;
  }
}
