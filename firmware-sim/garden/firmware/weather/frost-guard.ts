import { ALARM } from '../alarms.ts';
import type { Board } from '../board.ts';
import type { WeatherSensor } from './weather-sensor.ts';

const FREEZES_C = 2;
const THAWS_C = 4;
const STALE = 0xff_ff;
const STALE_AGAIN_MS = 60_000;

/** Refuses to water in frost, or when it may be. Without any sensor it assumes that there is none (device sheet, §2.6). */
export class FrostGuard {
  readonly #board: Board;
  readonly #sensor: WeatherSensor;
  #isFrozen = false;

  constructor(board: Board, sensor: WeatherSensor) {
    this.#board = board;
    this.#sensor = sensor;
  }

  get isFrozen(): boolean {
    this.check();
    return this.#isFrozen;
  }

  check(): void {
    const reading = this.#sensor.read();
    if (reading === undefined) this.#set(false, 0);
    else if (this.#sensor.isStale(reading) && reading.temperatureC < THAWS_C) {
      this.#set(true, STALE);
      this.#repeat();
    } else if (reading.temperatureC <= FREEZES_C) this.#set(true, Math.round(reading.temperatureC * 10) & STALE);
    else if (reading.temperatureC >= THAWS_C) this.#set(false, 0);
  }

  restart(): void {
    this.#isFrozen = false;
    this.#board.agenda.cancel('stale again');
    this.check();
  }

  #set(isFrozen: boolean, data: number): void {
    if (this.#isFrozen === isFrozen) return;
    this.#isFrozen = isFrozen;
    this.#board.state.set('freeze', isFrozen);
    this.#board.alarms.raise(ALARM.freeze, data);
  }

  /** Only matters while somebody listens. */
  #repeat(): void {
    const { agenda, alarms } = this.#board;
    if (!alarms.isHeard || agenda.has('stale again')) return;
    agenda.plan('stale again', agenda.now + STALE_AGAIN_MS, () => {
      if (!this.#isFrozen) return;
      const reading = this.#sensor.read();
      if (reading !== undefined && this.#sensor.isStale(reading)) this.#board.alarms.raise(ALARM.freeze, STALE);
      this.check();
    });
  }
}
