/** A day of an owner, `YYYY-MM-DD`. */
export type LocalDay = string & { readonly __brand: 'LocalDay' };

/** The owner's time zones, oldest first: each holds from `since` (milliseconds since 1970) until the next. */
export type ZoneTimeline = readonly { readonly since: number; readonly zone: string }[];

const DAY_MS = 24 * 60 * 60_000;
/** Before an owner has told a zone. */
const NO_ZONE = 'UTC';

/** The zone of a moment. The first one also holds for what was before it. */
export function zoneAt(zones: ZoneTimeline, at: number): string {
  return (zones.findLast(({ since }) => since <= at) ?? zones[0])?.zone ?? NO_ZONE;
}

/** The wall clock of a moment in the zone then in force, as the milliseconds that UTC would show it at. */
export function wallClock(zones: ZoneTimeline, at: number): number {
  return at + offsetMs(zoneAt(zones, at), at);
}

export function localDayOf(zones: ZoneTimeline, at: number): LocalDay {
  return dayOfNumber(localDayNumber(zones, at));
}

/** Days since 1970-01-01, by the owner's calendar. */
export function localDayNumber(zones: ZoneTimeline, at: number): number {
  return Math.floor(wallClock(zones, at) / DAY_MS);
}

/** 0 to 23. */
export function localHourOf(zones: ZoneTimeline, at: number): number {
  return new Date(wallClock(zones, at)).getUTCHours();
}

export function dayOfNumber(day: number): LocalDay {
  return new Date(day * DAY_MS).toISOString().slice(0, 10) as LocalDay;
}

export function numberOfDay(day: LocalDay): number {
  return Date.parse(`${day}T00:00:00Z`) / DAY_MS;
}

/** The first moment of a day: not always midnight, and not always 24 hours before the next one. */
export function startOfDay(zones: ZoneTimeline, day: number): number {
  const midnight = day * DAY_MS;
  const guessed = midnight - (wallClock(zones, midnight) - midnight);
  const settled = midnight - (wallClock(zones, guessed) - guessed);
  const isFirst = (at: number) => localDayNumber(zones, at) >= day && localDayNumber(zones, at - 1) < day;
  if (isFirst(settled)) return settled;
  // The clocks change at midnight, or the owner moved. Nowhere are they more than a day from UTC.
  let [before, after] = [midnight - DAY_MS, midnight + DAY_MS];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (localDayNumber(zones, middle) >= day) after = middle;
    else before = middle;
  }
  return after;
}

interface Offsets {
  readonly format: Intl.DateTimeFormat;
  /** By UTC day: the offset, if it is the same all day. */
  readonly byDay: Map<number, number | 'changes'>;
}
/** Cache: formats are slow to make. */
const offsetsOf = new Map<string, Offsets>();
const MOST_ZONES = 50;
const MOST_DAYS = 2_000;

/** How far a zone's clocks are ahead of UTC. */
function offsetMs(zone: string, at: number): number {
  if (zone === NO_ZONE) return 0;
  const { format, byDay } = zoneOffsets(zone);
  const day = Math.floor(at / DAY_MS);
  let known = byDay.get(day);
  if (known === undefined) {
    const first = readOffset(format, day * DAY_MS);
    known = first === readOffset(format, (day + 1) * DAY_MS) ? first : 'changes';
    if (byDay.size >= MOST_DAYS) byDay.clear();
    byDay.set(day, known);
  }
  return known === 'changes' ? readOffset(format, at) : known;
}

function zoneOffsets(zone: string): Offsets {
  const known = offsetsOf.get(zone);
  if (known !== undefined) return known;
  const made: Offsets = {
    format: new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }),
    byDay: new Map(),
  };
  if (offsetsOf.size >= MOST_ZONES) offsetsOf.clear();
  offsetsOf.set(zone, made);
  return made;
}

function readOffset(format: Intl.DateTimeFormat, at: number): number {
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(at / 1000) * 1000;
}
