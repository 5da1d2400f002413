import type { Board } from '../board.ts';
import type { Locks } from './locks.ts';
import type { Task } from './run.ts';

export const QUEUE_LENGTH = 10;

export type Refusal = 'queue_full' | 'freeze' | 'rain' | 'locked';

/** What the weather says about watering a channel. */
export interface WeatherRules {
  readonly isFrozen: boolean;
  skipsForRain(channel: number): boolean;
}

/** Tasks that wait for the one run at a time. It is in RAM only. */
export class TaskQueue {
  readonly #board: Board;
  readonly #weather: WeatherRules;
  readonly #locks: Locks;
  readonly #tasks: Task[] = [];

  constructor(board: Board, weather: WeatherRules, locks: Locks) {
    this.#board = board;
    this.#weather = weather;
    this.#locks = locks;
  }

  get tasks(): readonly Task[] {
    return this.#tasks;
  }

  /** Frost and rain are asked here, of manual tasks as well, and leave a row. Locks are asked when the task's turn comes. */
  add(task: Task): Refusal | undefined {
    const { agenda, clock, world, history } = this.#board;
    const refusal = this.#refusal(task);
    if (refusal !== undefined) {
      world.truth.skips.push({ zone: task.channel, at: agenda.now, why: refusal });
      if (refusal === 'rain' || refusal === 'freeze') {
        history.add(task.channel, clock.epochS(agenda.now), { kind: 'skip', why: refusal });
      }
      return refusal;
    }
    if (task.trigger === 'schedule' && this.#isWaiting(task)) return undefined;
    this.#tasks.push(task);
    this.#board.signal({ kind: 'queue' });
    return undefined;
  }

  /** Takes the first task that may run. Manual ones that may not are dropped without a word; others go on waiting. */
  take(): Task | undefined {
    for (let index = 0; index < this.#tasks.length; ) {
      const task = this.#tasks[index];
      if (task === undefined) return undefined;
      const isLocked = this.#locks.isLocked(task.channel);
      if (isLocked && task.trigger === 'schedule') {
        index += 1;
        continue;
      }
      this.#tasks.splice(index, 1);
      if (!isLocked) return task;
      const { agenda, world } = this.#board;
      world.truth.skips.push({ zone: task.channel, at: agenda.now, why: 'locked' });
      this.#board.signal({ kind: 'queue' });
    }
    return undefined;
  }

  clear(): void {
    this.#tasks.length = 0;
    this.#board.signal({ kind: 'queue' });
  }

  losePower(): void {
    this.#tasks.length = 0;
  }

  #refusal(task: Task): Refusal | undefined {
    if (this.#tasks.length >= QUEUE_LENGTH) return 'queue_full';
    if (this.#weather.isFrozen) return 'freeze';
    if (this.#weather.skipsForRain(task.channel)) return 'rain';
    const isFixed = this.#board.behaviour === 'fixed';
    return isFixed && task.trigger === 'manual' && this.#locks.isLocked(task.channel) ? 'locked' : undefined;
  }

  /** A locked channel would fill the queue day after day, so a scheduled task waits there once. */
  #isWaiting({ channel }: Task): boolean {
    return this.#tasks.some((task) => task.channel === channel && task.trigger === 'schedule');
  }
}
