/** Where the time comes from. Everything that asks for the time asks a `Clock`, so that tests can move it. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** RFC 3339 in UTC with milliseconds, the one form in which times leave this backend and are stored. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** DynamoDB's TTL wants whole seconds; milliseconds there never expire (contract, trap 6). */
export function ttlSeconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
