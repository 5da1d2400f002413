import type { Random } from '../../time/random.ts';
import type { Agenda } from '../agenda.ts';

/** Reset types of `de21`. */
export const RESET = {
  channel: 1,
  schedule: 2,
  channels: 0x10,
  schedules: 0x11,
  system: 0x12,
  history: 0x14,
  factory: 0xff,
};
const VALID_MS = 300_000;
/** The step that the firmware takes for it. */
const RUNS_MS = 1_000;

export interface ResetState {
  readonly type: number;
  readonly channel: number;
  readonly code: number;
  /** 0 idle, 1 waits for the code, 2 running, 3 done, 4 error. */
  readonly status: number;
  readonly at: number;
  readonly percent: number;
}

const IDLE: ResetState = { type: 0, channel: 0, code: 0, status: 0, at: 0, percent: 0 };

/** Resets in two steps: a code is asked for, read, and written back within five minutes. */
export class ResetControl {
  readonly #agenda: Agenda;
  readonly #random: Random;
  readonly #carryOut: (type: number, channel: number) => void;
  #state = IDLE;

  constructor(agenda: Agenda, random: Random, carryOut: (type: number, channel: number) => void) {
    this.#agenda = agenda;
    this.#random = random;
    this.#carryOut = carryOut;
  }

  get state(): ResetState {
    const isExpired = this.#state.status === 1 && this.#agenda.now - this.#state.at > VALID_MS;
    return isExpired ? IDLE : this.#state;
  }

  ask(type: number, channel: number): void {
    const code = 1 + Math.floor(this.#random.next() * 0xff_ff_ff_fe);
    this.#state = { type, channel, code, status: 1, at: this.#agenda.now, percent: 0 };
  }

  /** @returns whether the code was right */
  confirm(type: number, channel: number, code: number): boolean {
    const { state } = this;
    if (state.status !== 1 || state.type !== type || state.channel !== channel || state.code !== code) return false;
    this.#state = { ...state, code: 0, status: 2, at: this.#agenda.now };
    this.#agenda.plan('reset', this.#agenda.now + RUNS_MS, () => {
      this.#carryOut(type, channel);
      this.#state = { ...this.#state, status: 3, percent: 100 };
    });
    return true;
  }

  restart(): void {
    this.#agenda.cancel('reset');
    this.#state = IDLE;
  }
}
