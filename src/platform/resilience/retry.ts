import { setTimeout as delay } from 'node:timers/promises';
import type { Randomness } from '../ids.ts';

export interface RetryPolicy {
  readonly attempts: number;
  /** First pause in ms; doubles each time, with full jitter. */
  readonly baseMs: number;
}

/** Repeats `work` while `retryable` allows it; rethrows the last failure unchanged. */
export async function retry<T>(
  policy: RetryPolicy,
  randomness: Pick<Randomness, 'fraction'>,
  retryable: (error: unknown) => boolean,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= policy.attempts || !retryable(error)) throw error;
      await delay(randomness.fraction() * policy.baseMs * 2 ** (attempt - 1));
    }
  }
}
