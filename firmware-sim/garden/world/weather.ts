import type { Random } from '../../time/random.ts';
import { type Climate, dayLength, season } from './climate.ts';

const HOUR_MS = 60 * 60 * 1000;
/** A spell of rain lasts four hours on average. */
const DRY_AGAIN = 0.25;
/** How much of a deviation from the usual is left an hour later. */
const PERSISTENCE = 0.985;

/** The weather of one hour. */
export interface HourOfWeather {
  readonly temperatureC: number;
  readonly humidityPercent: number;
  readonly pressureHpa: number;
  readonly rainMm: number;
  /** What a lawn would lose to the air, in mm. */
  readonly evaporationMm: number;
}

/** The weather of a place, hour after hour; the same seed gives the same years. */
export class Weather {
  readonly #climate: Climate;
  readonly #random: Random;
  #isWet = false;
  #warmer = 0;
  #pressure = 0;

  constructor(climate: Climate, random: Random) {
    this.#climate = climate;
    this.#random = random;
  }

  /** @param ms the beginning of the hour; hours must be asked for in order */
  hour(ms: number): HourOfWeather {
    const { yearlyMeanC, seasonalC, dailyC, wetShare, wetHourMm } = this.#climate;
    const random = this.#random;
    const now = season(this.#climate, ms);
    this.#warmer = this.#warmer * PERSISTENCE + 0.6 * spread(random);
    this.#pressure = this.#pressure * PERSISTENCE + 0.8 * spread(random);
    // Three quarters as wet in the driest season as in the wettest.
    const share = wetShare * (0.875 - 0.125 * now);
    this.#isWet = random.happens(this.#isWet ? 1 - DRY_AGAIN : (DRY_AGAIN * share) / (1 - share));
    const rainMm = this.#isWet ? -wetHourMm * Math.log(1 - random.next()) : 0;
    const hourOfDay = (ms / HOUR_MS) % 24;
    const daily = Math.cos((2 * Math.PI * (hourOfDay - 14)) / 24) * (this.#isWet ? 0.3 : 1);
    const temperatureC = yearlyMeanC + seasonalC * now + dailyC * daily + this.#warmer;
    const daylight = dayLength(this.#climate, ms);
    const sun = Math.max(0, Math.cos((Math.PI * (hourOfDay - 12)) / daylight)) * (this.#isWet ? 0.2 : 1);
    const isDay = Math.abs(hourOfDay - 12) < daylight / 2;
    return {
      temperatureC,
      humidityPercent: Math.min(100, Math.max(15, 62 + (this.#isWet ? 28 : 0) - 12 * daily + 4 * spread(random))),
      pressureHpa: 1013 + this.#pressure - (this.#isWet ? 6 : 0),
      rainMm,
      evaporationMm: isDay ? Math.max(0, 0.02 * (temperatureC + 5)) * sun : 0,
    };
  }
}

/** Between −1.5 and 1.5, mostly near 0. */
function spread(random: Random): number {
  return random.next() + random.next() + random.next() - 1.5;
}
