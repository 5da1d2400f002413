import { setTimeout as delay } from 'node:timers/promises';
import type { Randomness } from '../ids.ts';

/** Returned by an attempt when another writer has changed what it was based on: it has to read again. */
export const OVERTAKEN = Symbol('overtaken');

/** Even many concurrent writers of one item are done within a few dozen milliseconds. */
const MOST_TRIES = 15;
const BASE_MS = 5;
const LONGEST_MS = 160;

export type WhileOvertaken = <T>(what: string, attempt: () => Promise<T | typeof OVERTAKEN>) => Promise<T>;

/**
 * Optimistic locking: repeats an attempt from a fresh read until no other writer gets in between. Pauses grow and are
 * random, so that conflicting writers do not collide again.
 *
 * @throws Error when it is overtaken so often that something must be wrong
 */
export function createWhileOvertaken(randomness: Pick<Randomness, 'fraction'>): WhileOvertaken {
  return async (what, attempt) => {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const result = await attempt();
      if (result !== OVERTAKEN) return result;
      await delay(randomness.fraction() * Math.min(LONGEST_MS, BASE_MS * 2 ** tries));
    }
    throw new Error(`${what} was overtaken ${MOST_TRIES} times by others`);
  };
}
