import type { HourOfWeather } from './weather.ts';

/** The soil of one zone. */
export interface SoilOptions {
  readonly areaM2: number;
  /** Water that the roots can reach when it is full, in mm. */
  readonly capacityMm: number;
  /** How much the plants take, compared with a lawn. */
  readonly crop: number;
}

export const LAWN: SoilOptions = { areaM2: 40, capacityMm: 60, crop: 1 };

/** Water in the root zone: rain and watering fill it, plants and the air take it, what is too much drains away. */
export class Soil {
  readonly #options: SoilOptions;
  #waterMm: number;

  constructor(options: SoilOptions) {
    this.#options = options;
    this.#waterMm = options.capacityMm / 2;
  }

  /** From 0, dry, to 1. */
  get moisture(): number {
    return this.#waterMm / this.#options.capacityMm;
  }

  /** An hour goes by. @param millilitres from the valve, in that hour */
  hour({ rainMm, evaporationMm }: HourOfWeather, millilitres: number): void {
    const { areaM2, capacityMm, crop } = this.#options;
    // Dry soil gives less.
    const taken = evaporationMm * crop * Math.min(1, 2 * this.moisture);
    const water = this.#waterMm + rainMm + millilitres / 1000 / areaM2 - taken;
    this.#waterMm = Math.min(capacityMm, Math.max(0, water));
  }
}
