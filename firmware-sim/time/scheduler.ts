import { performance } from 'node:perf_hooks';

/** Something that runs later unless it is cancelled. */
export interface Timer {
  cancel(): void;
}

/** Time as a simulation sees it: real or virtual. */
export interface Scheduler {
  /** Milliseconds on this clock, which never goes back. */
  now(): number;
  after(ms: number, run: () => void): Timer;
}

export const realTime: Scheduler = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Resolves after that many milliseconds on that clock. An abort rejects with its reason. */
export function sleep(time: Scheduler, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = time.after(ms, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    if (signal?.aborted === true) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
