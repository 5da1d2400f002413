import type { Read, TimeZoneRule } from '@autowatering/device-data';

export type ZoneRule = Read<typeof TimeZoneRule>;

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** Clocks change at two in standard time. */
const CHANGE_MS = 2 * HOUR_MS;

/** The device's default: offset 0, no summer time. */
export const UTC_ZONE: ZoneRule = {
  ...{ utc_offset_min: 0, dst_enabled: 0, dst_offset_min: 0 },
  ...{ start_month: 0, start_week: 0, start_dow: 0, end_month: 0, end_week: 0, end_dow: 0 },
};

/** Eastern Europe: two hours, three from the last Sunday of March to that of October. */
export const ROMANIA: ZoneRule = {
  ...{ utc_offset_min: 120, dst_enabled: 1, dst_offset_min: 60 },
  ...{ start_month: 3, start_week: 5, start_dow: 0, end_month: 10, end_week: 5, end_dow: 0 },
};

/** A zone's offset from UTC, by the rules the firmware has. */
export class TimeZone {
  readonly rule: ZoneRule;
  #year = Number.NaN;
  #summer: readonly [from: number, until: number] = [0, 0];

  constructor(rule: ZoneRule) {
    this.rule = rule;
  }

  isSummer(utcMs: number): boolean {
    const { rule } = this;
    if (rule.dst_enabled === 0) return false;
    const standard = utcMs + rule.utc_offset_min * 60_000;
    const year = new Date(standard).getUTCFullYear();
    if (year !== this.#year) {
      this.#year = year;
      this.#summer = [
        weekdayOfMonth(year, rule.start_month, rule.start_week, rule.start_dow) + CHANGE_MS,
        weekdayOfMonth(year, rule.end_month, rule.end_week, rule.end_dow) + CHANGE_MS,
      ];
    }
    const [from, until] = this.#summer;
    if (from <= until) return standard >= from && standard < until;
    return standard >= from || standard < until;
  }

  /** Minutes to add to UTC. */
  offsetMinutes(utcMs: number): number {
    const { utc_offset_min: base, dst_offset_min: more } = this.rule;
    return this.isSummer(utcMs) ? base + more : base;
  }
}

/** The nth weekday of a month, week 5 being its last one: its midnight, as if local time were UTC. */
function weekdayOfMonth(year: number, month: number, week: number, weekday: number): number {
  const first = Date.UTC(year, month - 1, 1);
  const days = (weekday - new Date(first).getUTCDay() + 7) % 7;
  let day = first + (days + (week - 1) * 7) * DAY_MS;
  while (new Date(day).getUTCMonth() !== month - 1) day -= 7 * DAY_MS;
  return day;
}
