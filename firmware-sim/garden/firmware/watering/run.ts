import type { TrueEnd } from '../../world/garden-truth.ts';
import type { World } from '../../world/world.ts';
import type { FirmwareBehaviour } from '../behaviour.ts';

/** What was asked for: so many minutes or litres of one channel. */
export interface Task {
  readonly channel: number;
  readonly mode: 'minutes' | 'litres';
  readonly value: number;
  readonly trigger: 'manual' | 'schedule';
}

/** `opening`: the master is open, the channel follows. `retrying`: shut for a moment, as nothing flowed. */
export type RunPhase = 'opening' | 'watering' | 'paused' | 'retrying';

interface RunOptions {
  readonly task: Task;
  readonly world: World;
  readonly now: number;
  readonly uptimeS: number;
  readonly behaviour: FirmwareBehaviour;
}

const U32 = 2 ** 32;

/** One run of water, from the opening of the master valve. Times are true ones. */
export class Run {
  readonly task: Task;
  readonly startedAt: number;
  readonly uptimeS: number;
  phase: RunPhase = 'opening';
  /** Tries in a row without flow. */
  attempts = 0;
  hasFlowed = false;
  readonly #world: World;
  readonly #behaviour: FirmwareBehaviour;
  readonly #spentBefore: number;
  readonly #pulsesBefore: number;
  #pulsesFrom: number;
  #wateredMs = 0;
  #resumedAt: number | undefined;

  constructor({ task, world, now, uptimeS, behaviour }: RunOptions) {
    this.task = task;
    this.startedAt = now;
    this.uptimeS = uptimeS;
    this.#world = world;
    this.#behaviour = behaviour;
    this.#spentBefore = world.plumbing.spent(task.channel, now);
    this.#pulsesBefore = world.plumbing.pulses(now);
    this.#pulsesFrom = this.#pulsesBefore;
  }

  /** Its time goes on. */
  goOn(now: number): void {
    this.#resumedAt ??= now;
  }

  hold(now: number): void {
    this.#wateredMs = this.wateredMs(now);
    this.#resumedAt = undefined;
  }

  wateredMs(now: number): number {
    return this.#wateredMs + (this.#resumedAt === undefined ? 0 : now - this.#resumedAt);
  }

  /** Another try counts its pulses from zero, so the volume falls back (device sheet, §2.1). */
  countAgain(now: number): void {
    this.#pulsesFrom = this.#world.plumbing.pulses(now);
  }

  pulses(now: number): number {
    return this.#world.plumbing.pulses(now) - this.#pulsesFrom;
  }

  /** What the firmware makes of the pulses. The product overflows at 4.29 million of them. */
  millilitres(now: number, pulsesPerLitre: number): number {
    const product = this.pulses(now) * 1000;
    return Math.floor((this.#behaviour === 'fixed' ? product : product % U32) / pulsesPerLitre);
  }

  /** Whole minutes or litres, as a stop row has them. */
  amount(now: number, pulsesPerLitre: number): number {
    if (this.task.mode === 'minutes') return Math.floor(this.wateredMs(now) / 60_000);
    return Math.floor(this.millilitres(now, pulsesPerLitre) / 1000);
  }

  soFar(now: number) {
    const { plumbing } = this.#world;
    return {
      ...{ zone: this.task.channel, trigger: this.task.trigger, startedAt: this.startedAt },
      millilitres: plumbing.spent(this.task.channel, now) - this.#spentBefore,
      meteredMl: ((plumbing.pulses(now) - this.#pulsesBefore) * 1000) / plumbing.pulsesPerLitre,
    };
  }

  /** Writes down how it really went. */
  ended(now: number, end: TrueEnd): void {
    this.#world.truth.runs.push({ ...this.soFar(now), endedAt: now, end });
  }
}
