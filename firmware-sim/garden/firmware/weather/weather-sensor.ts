import type { Air } from '../../world/world.ts';
import type { Board } from '../board.ts';

const INTERVAL_MS = 60_000;
const STALE_MS = 10 * 60_000;

/** A reading, and the uptime at which it was made. */
export interface Reading extends Air {
  readonly uptimeMs: number;
}

/** The BME280 behind the firmware's driver, read once a minute. */
export class WeatherSensor {
  readonly #board: Board;
  /** What a sensor repeats that is stuck. */
  #stuck: Reading | undefined;
  /** A sensor that was dead at the start stays absent until it answers. */
  constructor(board: Board) {
    this.#board = board;
    board.world.onFaults(() => this.#faultsChanged());
  }

  get intervalS(): number {
    return INTERVAL_MS / 1000;
  }

  /** The latest reading; undefined without a sensor. */
  read(): Reading | undefined {
    const { world, agenda, clock } = this.#board;
    if (world.isActive('dead_sensor')) return undefined;
    const uptime = clock.uptimeMs(agenda.now);
    const uptimeMs = uptime - (uptime % INTERVAL_MS);
    if (this.#stuck === undefined) {
      const { temperatureC, humidityPercent, pressureHpa } = world.air();
      return { temperatureC, humidityPercent, pressureHpa, uptimeMs };
    }
    return world.isActive('stale_sensor') ? this.#stuck : { ...this.#stuck, uptimeMs };
  }

  /** Whether the reading is too old to be believed. */
  isStale(reading: Reading): boolean {
    return this.#board.clock.uptimeMs(this.#board.agenda.now) - reading.uptimeMs > STALE_MS;
  }

  restart(): void {
    if (this.#stuck !== undefined) this.#stuck = { ...this.#stuck, uptimeMs: 0 };
  }

  #faultsChanged(): void {
    const { world } = this.#board;
    const isStuck = world.isActive('flat_line') || world.isActive('stale_sensor');
    if (!isStuck) this.#stuck = undefined;
    else if (this.#stuck === undefined) {
      const { agenda, clock } = this.#board;
      this.#stuck = { ...world.air(), uptimeMs: clock.uptimeMs(agenda.now) };
    }
  }
}
