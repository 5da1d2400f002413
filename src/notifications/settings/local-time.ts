const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MINUTES_A_DAY = 24 * 60;

/** A time of day, as people write it: `07:30`. */
export const TIME_OF_DAY = /^([01]\d|2[0-3]):[0-5]\d$/;

/** Minutes since midnight of a time like `07:30`. */
export function minutesOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}

export function isTimeZone(name: string): boolean {
  try {
    formatFor(name);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Minutes since midnight on the clocks of a zone. */
export function localMinutes(ms: number, zone: string): number {
  return Math.floor((wallClock(ms, zone) % DAY_MS) / MINUTE_MS);
}

/** Whether a time of day lies from `from` until before `to`, over midnight if `to` is the earlier one. */
export function isWithin(minutes: number, from: number, to: number): boolean {
  return from <= to ? minutes >= from && minutes < to : minutes >= from || minutes < to;
}

/**
 * The first moment after `ms` at which the clocks of a zone show this time. When they are put forward over it, the moment
 * at which they are; when they show it twice, the first time that is still to come.
 */
export function nextLocalTime(ms: number, zone: string, minutes: number): number {
  const today = Math.floor(wallClock(ms, zone) / DAY_MS) * DAY_MS;
  for (let days = 0; ; days += 1) {
    const moments = momentsOf(today + days * DAY_MS + (minutes % MINUTES_A_DAY) * MINUTE_MS, zone);
    const next = moments.find((moment) => moment > ms);
    if (next !== undefined) return next;
  }
}

/** The moments, earliest first, at which a zone's clocks show `wall`, which is written as if it were UTC. */
function momentsOf(wall: number, zone: string): readonly number[] {
  // No zone is further than this from UTC, and none changes by more than a few hours at once.
  const offsets = [wall - DAY_MS, wall + DAY_MS].map((near) => wallClock(near, zone) - near);
  const candidates = offsets.map((offset) => wall - offset).sort((a, b) => a - b);
  const exact = candidates.filter((moment) => wallClock(moment, zone) === wall);
  if (exact.length > 0) return exact;
  // The clocks jump over it: the jump lies between both candidates.
  let [before = wall, after = wall] = candidates;
  while (after - before > MINUTE_MS) {
    const middle = before + Math.floor((after - before) / 2 / MINUTE_MS) * MINUTE_MS;
    if (wallClock(middle, zone) < wall) before = middle;
    else after = middle;
  }
  return [after];
}

/** What a zone's clocks show, as if it were UTC: in milliseconds since 1970, whole seconds. */
function wallClock(ms: number, zone: string): number {
  const parts = new Map(
    formatFor(zone)
      .formatToParts(ms)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
}

/** Formats are slow to create. Zones are few hundred, and only those of active owners are asked for. */
const formats = new Map<string, Intl.DateTimeFormat>();
const MOST_FORMATS = 500;

function formatFor(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    ...({ year: 'numeric', month: 'numeric', day: 'numeric' } as const),
    ...({ hour: 'numeric', minute: 'numeric', second: 'numeric' } as const),
  });
  if (formats.size < MOST_FORMATS) formats.set(zone, made);
  return made;
}
