/** The source of time. All code reads the time from a `Clock`, so tests can move it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Formats a time as RFC 3339 in UTC with milliseconds, the only form this backend stores and returns. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Converts to whole seconds for DynamoDB's TTL. Items with milliseconds there never expire (contract, trap 6). */
export function ttlSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
