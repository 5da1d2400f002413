import { ApiError, NetworkError } from './errors.ts';
import type { Operation } from './operation.ts';

/** Statuses of a service that is briefly busy or unavailable. */
const PASSING = [429, 502, 503, 504];
const FIRST_PAUSE_MS = 500;
/** People don't watch a spinner for longer than this. They get the error and decide. */
const LONGEST_WAIT_SECONDS = 10;

/**
 * How long to wait before a failed operation is sent again, or undefined if it should not be. Only idempotent
 * operations are repeated. After a timeout the person has waited long enough.
 *
 * @param failures how often it has failed so far, from 1
 * @param random at least 0, below 1, so that phones that failed together do not retry together
 * @returns milliseconds
 */
export function pauseBeforeRepeat(
  error: unknown,
  operation: Operation,
  failures: number,
  random: () => number,
): number | undefined {
  if (!operation.repeatable) return undefined;
  const pause = FIRST_PAUSE_MS * 2 ** (failures - 1);
  if (error instanceof NetworkError) return pause * (0.5 + random() / 2);
  if (!(error instanceof ApiError) || !PASSING.includes(error.status)) return undefined;
  const { retryAfterSeconds } = error;
  if (retryAfterSeconds === undefined) return pause * (0.5 + random() / 2);
  return retryAfterSeconds > LONGEST_WAIT_SECONDS ? undefined : retryAfterSeconds * 1000 + FIRST_PAUSE_MS * random();
}
