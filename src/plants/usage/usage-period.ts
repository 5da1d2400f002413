import { isoTime } from '../../platform/clock.ts';
import type { PlantFeature } from '../../platform/plant-providers/plants-config.ts';

/** The UTC day and month that a use counts towards. */
export interface UsagePeriod {
  /** `2026-11`. */
  readonly month: string;
  /** `21`, the day of the month. */
  readonly day: string;
  /** When the day and the month end, in ms since 1970. */
  readonly dayEnds: number;
  readonly monthEnds: number;
}

export function periodOf(now: number): UsagePeriod {
  const time = isoTime(now);
  const date = new Date(now);
  return {
    month: time.slice(0, 7),
    day: time.slice(8, 10),
    dayEnds: Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1),
    monthEnds: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1),
  };
}

export interface Reservation {
  readonly feature: PlantFeature;
  readonly period: UsagePeriod;
}
