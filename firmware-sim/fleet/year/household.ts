import type { GardenOptions, ScheduleOptions, ZoneOptions } from '../../garden/garden-options.ts';
import { FAULT_NAMES, type FaultName, type PlantedFault } from '../../garden/world/planted-fault.ts';
import { type Random, seededRandom } from '../../time/random.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** How often an owner's phones are near the device and read it. */
export type Habit = 'daily' | 'weekly' | 'rarely';
const DAYS_BETWEEN: Readonly<Record<Habit, readonly [least: number, most: number]>> = {
  ...{ daily: [1, 1], weekly: [5, 9], rarely: [20, 40] },
};

/** A time at which one of the household's phones reads the device. */
export interface PlannedVisit {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly phone: number;
  /** What the owner does beside the device: waters by hand and watches, or watches whatever runs. */
  readonly stays: 'for_reading' | 'watering_by_hand' | 'for_a_while';
}

/** A home with a device: its garden, its people's habits, and what goes wrong. */
export interface Household {
  readonly habit: Habit;
  readonly phones: number;
  readonly garden: GardenOptions;
  readonly faults: readonly PlantedFault[];
  readonly visits: readonly PlannedVisit[];
}

export interface HouseholdOptions {
  readonly seed: number;
  /** The true time at which its year begins, ms since 1970. */
  readonly startsAt: number;
  readonly days: number;
  /** What goes wrong. Default: drawn, with one fault in two thirds of all homes. */
  readonly fault?: FaultName | 'none';
  readonly habit?: Habit;
}

const DRAWN_FAULT = 2 / 3;
const LONGEST_FAULT_DAYS = 21;
const SHORTEST_FAULT_DAYS = 4;

/** Draws a home; the same options give the same one. */
export function drawHousehold({ seed, startsAt, days, ...wanted }: HouseholdOptions): Household {
  const random = seededRandom(seed);
  const zones = Array.from({ length: 1 + Math.floor(random.next() * 4) }, (_, index) => drawZone(random, index));
  const habit = wanted.habit ?? random.pick(HABITS);
  const phones = random.happens(0.5) ? 2 : 1;
  const firstHour = Math.min(...zones.map(({ schedule }) => schedule.hour));
  const visits = drawVisits({ random, startsAt, days, habit, phones, firstHour });
  const name = wanted.fault ?? (random.happens(DRAWN_FAULT) ? anyOf(random, FAULT_NAMES) : 'none');
  const faults = name === 'none' ? [] : [drawFault(random, name, zones.length, startsAt, days)];
  const latitude = 38 + Math.floor(random.next() * 14);
  return { habit, phones, visits, faults, garden: { startsAt, seed, latitude, zones, faults } };
}

const HABITS = [
  { weight: 25, value: 'daily' },
  { weight: 50, value: 'weekly' },
  { weight: 25, value: 'rarely' },
] as const;

function drawZone(random: Random, index: number): Partial<ZoneOptions> & { readonly schedule: ScheduleOptions } {
  const isDrip = random.happens(0.3);
  const mlPerMinute = Math.round(isDrip ? between(random, 1_500, 4_000) : between(random, 5_000, 14_000));
  const isByVolume = random.happens(0.3);
  const minutes = Math.round(between(random, 6, 20));
  const amount = isByVolume ? { litres: Math.max(5, Math.round((mlPerMinute * minutes) / 1_000)) } : { minutes };
  return {
    ...{ mlPerMinute, profile: isDrip ? 'drip' : 'spray', isRainAware: random.happens(0.8) },
    schedule: {
      ...{ hour: 4 + index, minute: Math.floor(random.next() * 60), amount },
      ...(random.happens(0.4) && { everyDays: 2 }),
    },
  };
}

interface VisitPlan {
  readonly random: Random;
  readonly startsAt: number;
  readonly days: number;
  readonly habit: Habit;
  readonly phones: number;
  /** Local hour of the first schedule. */
  readonly firstHour: number;
}

/** The first visit sets the device up. Some owners come when it waters, most in the evening. */
function drawVisits({ random, startsAt, days, habit, phones, firstHour }: VisitPlan): readonly PlannedVisit[] {
  const [least, most] = DAYS_BETWEEN[habit];
  const isEarly = random.happens(0.25);
  const visits: PlannedVisit[] = [];
  for (let day = 0; day < days; day += Math.round(between(random, least, most))) {
    // In Romania's summer, local time is three hours ahead of UTC.
    const hour = isEarly ? firstHour - 3 : between(random, 15, 19);
    const at = startsAt + day * DAY_MS + Math.round(hour * HOUR_MS);
    // Few have the time to watch until all is watered.
    const stays =
      isEarly && random.happens(0.2) ? 'for_a_while' : random.happens(0.1) ? 'watering_by_hand' : 'for_reading';
    visits.push({ at, stays, phone: Math.floor(random.next() * phones) });
  }
  // Whoever looks at the report has just looked at the device.
  visits.push({ at: startsAt + days * DAY_MS - 10 * 60_000, phone: 0, stays: 'for_reading' });
  return visits.filter(({ at }, index) => at >= startsAt && at < startsAt + days * DAY_MS && index < visits.length);
}

function drawFault(random: Random, kind: FaultName, zones: number, startsAt: number, days: number): PlantedFault {
  const lasts = Math.min(days / 2, between(random, SHORTEST_FAULT_DAYS, LONGEST_FAULT_DAYS));
  // A device learns first what is usual.
  const from = startsAt + Math.round((days / 4 + random.next() * Math.max(0, days / 2 - lasts)) * DAY_MS);
  const when = { from, until: from + Math.round(lasts * DAY_MS) };
  const zone = Math.floor(random.next() * zones);
  switch (kind) {
    case 'leak': {
      const mlPerMinute = Math.round(between(random, 300, 6_000));
      return { ...when, kind, mlPerMinute, ...(random.happens(0.3) && { zone }) };
    }
    case 'valve_stuck_open':
    case 'valve_stuck_closed':
      return { ...when, kind, zone };
    default:
      return { ...when, kind };
  }
}

function between(random: Random, least: number, most: number): number {
  return least + random.next() * (most - least);
}

function anyOf<T>(random: Random, all: readonly T[]): T {
  return random.pick(all.map((value) => ({ value, weight: 1 })));
}
