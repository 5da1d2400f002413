import { EnvironmentDaily, EnvironmentHourly, type Read } from '@autowatering/device-data';
import type { Air } from '../../world/world.ts';
import type { Board } from '../board.ts';
import { LAST_EPOCH_S, RowRing } from '../row-ring.ts';
import { DayOfAir, dateNumber, x100 } from './day-of-air.ts';
import type { WeatherSensor } from './weather-sensor.ts';

const ENVIRONMENT_HOURS = 720;
const ENVIRONMENT_DAYS = 372;
const HOUR_S = 3_600;
/** More than that is not filled in after an absence. */
const MOST_BACKFILLED = 24;

/** History of the weather sensor. The rows of the hour and the day that go on are there already, and are written again. */
export class EnvironmentStation {
  readonly #hours = new RowRing(ENVIRONMENT_HOURS, EnvironmentHourly);
  readonly #days = new RowRing(ENVIRONMENT_DAYS, EnvironmentDaily);
  readonly #board: Board;
  readonly #sensor: WeatherSensor;
  #openHourS: number | undefined;
  #openDay: DayOfAir | undefined;

  constructor(board: Board, sensor: WeatherSensor) {
    this.#board = board;
    this.#sensor = sensor;
  }

  /** Those of that range of epochs, oldest first. */
  hourly(from = 0, until = LAST_EPOCH_S, atMost = ENVIRONMENT_HOURS): AskedRows {
    const air = this.#value();
    const key = this.#openHourS;
    const open =
      key === undefined || air === undefined
        ? undefined
        : { key, row: () => EnvironmentHourly.write(hourRow(key, air)) };
    return askedRows(this.#hours, open, { from, until, atMost });
  }

  /** Those of that range of dates such as 20260325, oldest first. */
  daily(from = 0, until = LAST_EPOCH_S, atMost = ENVIRONMENT_DAYS): AskedRows {
    const day = this.#openDay;
    const open = day && { key: day.date, row: () => EnvironmentDaily.write(day.row()) };
    return askedRows(this.#days, open, { from, until, atMost });
  }

  hourBegins(epochS: number): void {
    this.#openHourS = epochS;
  }

  /** An hour by the device's clock is over. */
  hourOver(epochS: number): void {
    this.#openHourS = undefined;
    const air = this.#value();
    if (air === undefined) return;
    this.#backfill(epochS, air);
    this.#add(epochS, air);
  }

  erase(): void {
    this.#hours.clear();
    this.#days.clear();
    this.#openDay = undefined;
  }

  /** Hours that were missed get the value of the first one that was not. */
  #backfill(epochS: number, air: Air): void {
    if (this.#hours.length === 0) return;
    const last = this.#hours.epochAt(this.#hours.length - 1);
    if (epochS - last > (MOST_BACKFILLED + 1) * HOUR_S) return;
    for (let hour = last + HOUR_S; hour < epochS; hour += HOUR_S) this.#add(hour, air);
  }

  #value(): Air | undefined {
    const reading = this.#sensor.read();
    return reading === undefined || this.#sensor.isStale(reading) ? undefined : reading;
  }

  #add(epochS: number, air: Air): void {
    this.#hours.push(hourRow(epochS, air));
    const { clock, agenda } = this.#board;
    const date = dateNumber(epochS * 1000 + clock.offsetMinutes(agenda.now) * 60_000);
    if (this.#openDay?.date !== date) {
      if (this.#openDay !== undefined) this.#days.push(this.#openDay.row());
      this.#openDay = new DayOfAir(date);
    }
    this.#openDay.add(air);
  }
}

/** Rows that were asked for. Phones pull few of them at a time, so only those are copied. */
export interface AskedRows {
  readonly length: number;
  slice(from: number, until: number): Uint8Array[];
}

interface Open {
  readonly key: number;
  readonly row: () => Uint8Array;
}

interface Asked {
  readonly from: number;
  readonly until: number;
  readonly atMost: number;
}

/** The ring's rows, and the one that goes on, which takes the place of the oldest. */
function askedRows<T>(ring: RowRing<T>, open: Open | undefined, { from, until, atMost }: Asked): AskedRows {
  const without = open !== undefined && ring.length === ring.depth ? 1 : 0;
  const places = ring.placesBetween(from, until, { without, atMost });
  const goesOn = open !== undefined && open.key >= from && open.key <= until && places.length < atMost;
  const length = places.length + (goesOn ? 1 : 0);
  return {
    length,
    slice(first, last) {
      const rows = places.slice(first, last).map((place) => ring.at(place));
      if (goesOn && first < length && last >= length) rows.push(open.row());
      return rows;
    },
  };
}

function hourRow(epochS: number, { temperatureC, humidityPercent, pressureHpa }: Air): Read<typeof EnvironmentHourly> {
  const t = x100(temperatureC);
  return {
    epoch: epochS,
    t_avg_x100: t,
    t_min_x100: t,
    t_max_x100: t,
    h_avg_x100: x100(humidityPercent),
    p_avg_pa: x100(pressureHpa),
  };
}
