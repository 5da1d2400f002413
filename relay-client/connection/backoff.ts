const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/**
 * How long to wait before the next attempt: random, so that peers that lost the server together do not come back
 * together.
 *
 * @param failures in a row so far, from 1
 * @param random at least 0, below 1
 * @returns milliseconds
 */
export function backoff(failures: number, random: () => number, retryAfterSeconds = 0): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1));
  return retryAfterSeconds * 1000 + random() * longest;
}
