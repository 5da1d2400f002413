import { type Random, seededRandom } from '../../time/random.ts';
import type { Agenda } from '../agenda.ts';
import { climateAt } from './climate.ts';
import { type TrueDay, TruthLog } from './garden-truth.ts';
import { assertFault, type PlantedFault } from './planted-fault.ts';
import { Plumbing, type PlumbingOptions } from './plumbing.ts';
import { LAWN, Soil, type SoilOptions } from './soil.ts';
import { type HourOfWeather, Weather } from './weather.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

export interface WorldOptions {
  /** In degrees, −66 to 66. */
  readonly latitude: number;
  readonly seed: number;
  readonly plumbing: PlumbingOptions;
  readonly soils?: readonly SoilOptions[];
}

/** Weather at one moment, between two hours. */
export interface Air {
  readonly temperatureC: number;
  readonly humidityPercent: number;
  readonly pressureHpa: number;
}

/** A garden without its device: weather, soil, pipes, and what is wrong with them. */
export class World {
  readonly plumbing: Plumbing;
  readonly truth = new TruthLog();
  readonly random: Random;
  readonly latitude: number;
  readonly #agenda: Agenda;
  readonly #weather: Weather;
  readonly #soils: readonly Soil[];
  readonly #hourSpent: Float64Array;
  readonly #daySpent: Float64Array;
  readonly #changeListeners: (() => void)[] = [];
  #hourStart: number;
  #now: HourOfWeather;
  #next: HourOfWeather;
  #rainMm = 0;
  #dayRainMm = 0;
  #active: readonly PlantedFault[] = [];

  constructor({ latitude, seed, plumbing, soils }: WorldOptions, agenda: Agenda) {
    this.#agenda = agenda;
    this.latitude = latitude;
    this.random = seededRandom(seed);
    this.#weather = new Weather(climateAt(latitude), seededRandom(seed ^ 0x5e_ed));
    this.plumbing = new Plumbing(plumbing, agenda.now);
    this.#soils = plumbing.zoneMlPerMinute.map((_, zone) => new Soil(soils?.[zone] ?? LAWN));
    this.#hourSpent = new Float64Array(this.plumbing.zones + 1);
    this.#daySpent = new Float64Array(this.plumbing.zones + 1);
    this.#hourStart = Math.floor(agenda.now / HOUR_MS) * HOUR_MS;
    this.#now = this.#weather.hour(this.#hourStart);
    this.#next = this.#weather.hour(this.#hourStart + HOUR_MS);
    agenda.plan('weather', this.#hourStart + HOUR_MS, this.#hour);
  }

  /** Calls the listener whenever faults begin or end. */
  onFaults(listener: () => void): void {
    this.#changeListeners.push(listener);
  }

  /** @throws RangeError for a fault that cannot be, or began already */
  plant(fault: PlantedFault): void {
    assertFault(fault, this.plumbing.zones);
    this.truth.faults.push(fault);
    const name = `fault ${this.truth.faults.length}`;
    this.#agenda.plan(`${name} begins`, fault.from, this.#faultsChange);
    this.#agenda.plan(`${name} ends`, fault.until, this.#faultsChange);
  }

  isActive(kind: PlantedFault['kind']): boolean {
    return this.#active.some((fault) => fault.kind === kind);
  }

  air(): Air {
    const share = (this.#agenda.now - this.#hourStart) / HOUR_MS;
    const now = this.#now;
    const next = this.#next;
    return {
      temperatureC: now.temperatureC + (next.temperatureC - now.temperatureC) * share,
      humidityPercent: now.humidityPercent + (next.humidityPercent - now.humidityPercent) * share,
      pressureHpa: now.pressureHpa + (next.pressureHpa - now.pressureHpa) * share,
    };
  }

  /** Rain since the beginning, in mm. */
  rainMm(): number {
    return this.#rainMm + (this.#now.rainMm * (this.#agenda.now - this.#hourStart)) / HOUR_MS;
  }

  /** How hard it rains, in mm an hour. */
  get rainRate(): number {
    return this.#now.rainMm;
  }

  moisture(zone: number): number {
    return this.#soils[zone]?.moisture ?? 0;
  }

  readonly #hour = () => {
    const { now } = this.#agenda;
    this.plumbing.advanceTo(now);
    this.#soils.forEach((soil, zone) => {
      const spent = this.plumbing.spent(zone, now);
      soil.hour(this.#now, spent - (this.#hourSpent[zone] ?? 0));
      this.#hourSpent[zone] = spent;
    });
    this.#rainMm += this.#now.rainMm;
    this.#dayRainMm += this.#now.rainMm;
    if (now % DAY_MS === 0) this.#day(now);
    this.#hourStart = now;
    this.#now = this.#next;
    this.#next = this.#weather.hour(now + HOUR_MS);
    this.#agenda.plan('weather', now + HOUR_MS, this.#hour);
  };

  #day(now: number): void {
    const amounts = Array.from(this.#daySpent, (before, index) => {
      const spent = this.plumbing.spent(index, now);
      this.#daySpent[index] = spent;
      return spent - before;
    });
    const leakedMl = amounts.pop() ?? 0;
    const day: TrueDay = { at: now - DAY_MS, zones: amounts, leakedMl, rainMm: this.#dayRainMm };
    this.#dayRainMm = 0;
    this.truth.days.push(day);
  }

  readonly #faultsChange = () => {
    const { now } = this.#agenda;
    this.#active = this.truth.faults.filter(({ from, until }) => from <= now && now < until);
    this.plumbing.setFaults(this.#active, now);
    for (const listener of this.#changeListeners) listener();
  };
}
