import type { Scheduler, Timer } from './scheduler.ts';

interface Due {
  readonly atMs: number;
  readonly run: () => void;
}

/** The simulation waits for something that nothing in it will ever provide. */
export class StuckError extends Error {
  override readonly name = 'StuckError';
}

/**
 * Time that only passes once all current work is done: an hour of radio takes as long as computing its events, and the
 * same inputs give the same run. Each device and its phone have their own clock.
 */
export class VirtualTime implements Scheduler {
  readonly #due: Due[] = [];
  #nowMs = 0;
  #outside = 0;
  #onReturn = () => {};

  now(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): Timer {
    const due: Due = { atMs: this.#nowMs + Math.max(0, ms), run };
    // Events due at the same moment run in the order they were scheduled.
    let at = this.#due.length;
    while (at > 0 && (this.#due[at - 1]?.atMs ?? 0) > due.atMs) at -= 1;
    this.#due.splice(at, 0, due);
    return {
      cancel: () => {
        const index = this.#due.indexOf(due);
        if (index !== -1) this.#due.splice(index, 1);
      },
    };
  }

  /**
   * Runs the simulation until the work is done.
   *
   * @throws StuckError when the work waits and nothing is due
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    let isDone = false;
    const result = work().finally(() => {
      isDone = true;
    });
    // A failure is thrown to the caller below; until then it must not count as unhandled.
    result.catch(() => {});
    while (!isDone) {
      await everythingElse();
      if (this.#outside > 0) await this.#returned();
      else if (!isDone && !this.#step()) {
        throw new StuckError('nothing is due, but the work is not done: run real work through outside()');
      }
    }
    return result;
  }

  /** Lets that much time pass and runs everything due in it. */
  async advance(ms: number): Promise<void> {
    let isOver = false;
    this.after(ms, () => {
      isOver = true;
    });
    await everythingElse();
    while (!isOver) {
      this.#step();
      await everythingElse();
    }
  }

  /** Stops the clock while real work runs, such as a request to a backend. */
  async outside<T>(work: () => Promise<T>): Promise<T> {
    this.#outside += 1;
    try {
      return await work();
    } finally {
      this.#outside -= 1;
      this.#onReturn();
    }
  }

  #returned(): Promise<void> {
    return new Promise((resolve) => {
      this.#onReturn = resolve;
    });
  }

  #step(): boolean {
    const next = this.#due.shift();
    if (next === undefined) return false;
    this.#nowMs = next.atMs;
    next.run();
    return true;
  }
}

/** Lets every promise settle that can, before a macrotask runs. */
function everythingElse(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
