/** From when on an account's garden is in a time zone. */
export interface ZoneSpan {
  /** Milliseconds since 1970; 0 for the first zone, which also holds for everything before it was known. */
  readonly since: number;
  /** An IANA name, such as `Europe/Bucharest`. */
  readonly zone: string;
}

/** An account's time zones, the oldest first and never empty: days and months are the owner's, as they were then. */
export type ZoneTimeline = readonly [ZoneSpan, ...ZoneSpan[]];

/** While nobody has said where the garden is. */
export const NO_ZONE_KNOWN: ZoneTimeline = [{ since: 0, zone: 'UTC' }];

/** The time zone that held at a moment. */
export function zoneAt(timeline: ZoneTimeline, at: number): string {
  return (timeline.findLast(({ since }) => since <= at) ?? timeline[0]).zone;
}

/** Whether this runtime knows the zone by that name. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
