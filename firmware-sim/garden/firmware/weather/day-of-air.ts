import type { EnvironmentDaily, Read } from '@autowatering/device-data';
import type { Air } from '../../world/world.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Averages and extremes of a local day, hour by hour. */
export class DayOfAir {
  /** Such as 20260325. */
  readonly date: number;
  #samples = 0;
  #temperature = 0;
  #humidity = 0;
  #pressure = 0;
  #coldest = Number.POSITIVE_INFINITY;
  #warmest = Number.NEGATIVE_INFINITY;
  #driest = Number.POSITIVE_INFINITY;
  #dampest = Number.NEGATIVE_INFINITY;

  constructor(date: number) {
    this.date = date;
  }

  add({ temperatureC, humidityPercent, pressureHpa }: Air): void {
    this.#samples += 1;
    this.#temperature += temperatureC;
    this.#humidity += humidityPercent;
    this.#pressure += pressureHpa;
    this.#coldest = Math.min(this.#coldest, temperatureC);
    this.#warmest = Math.max(this.#warmest, temperatureC);
    this.#driest = Math.min(this.#driest, humidityPercent);
    this.#dampest = Math.max(this.#dampest, humidityPercent);
  }

  row(): Read<typeof EnvironmentDaily> {
    return {
      date_yyyymmdd: this.date,
      t_avg_x100: x100(this.#temperature / this.#samples),
      t_min_x100: x100(this.#coldest),
      t_max_x100: x100(this.#warmest),
      h_avg_x100: x100(this.#humidity / this.#samples),
      h_min_x100: x100(this.#driest),
      h_max_x100: x100(this.#dampest),
      p_avg_pa: x100(this.#pressure / this.#samples),
      samples: this.#samples,
    };
  }
}

/** A value in hundredths. */
export function x100(value: number): number {
  return Math.round(value * 100);
}

let known: { readonly day: number; readonly date: number } | undefined;

/** A date as a number, such as 20260325. Remembers the last one, as most calls ask for the same day. */
export function dateNumber(localMs: number): number {
  const day = Math.floor(localMs / DAY_MS);
  if (known?.day === day) return known.date;
  const time = new Date(localMs);
  const date = time.getUTCFullYear() * 10_000 + (time.getUTCMonth() + 1) * 100 + time.getUTCDate();
  known = { day, date };
  return date;
}
