/** Work that is done by time, not for a request. */
export interface Job {
  /** Lower-case words with dashes: its name in locks, logs and metrics. */
  readonly name: string;
  readonly when: JobTimes;
  /**
   * Does what is due. A run may die at any point, and the next one starts anew: what was done must be found done.
   *
   * @param now milliseconds since 1970
   * @param signal aborts when the time is up; what is left waits for the next run
   * @returns facts for the log
   */
  run(now: number, signal: AbortSignal): Promise<Readonly<Record<string, number>>>;
}

/** Times of jobs are looked at every few minutes: a job may begin that much later. */
export type JobTimes =
  | { readonly everyMs: number }
  /** Hours and minutes in UTC, like `03:30`. */
  | { readonly dailyAtUtc: string };

const DAY_MS = 24 * 60 * 60 * 1000;
const MINUTE_MS = 60_000;

/** The latest time at or before `now` at which the job had to begin, in milliseconds since 1970. */
export function latestTurn(when: JobTimes, now: number): number {
  if ('everyMs' in when) return Math.floor(now / when.everyMs) * when.everyMs;
  const [hours = 0, minutes = 0] = when.dailyAtUtc.split(':').map(Number);
  const offset = (hours * 60 + minutes) * MINUTE_MS;
  return Math.floor((now - offset) / DAY_MS) * DAY_MS + offset;
}
