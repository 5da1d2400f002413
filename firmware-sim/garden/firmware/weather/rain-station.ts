import { RainDaily, RainHourly } from '@autowatering/device-data';
import type { Board } from '../board.ts';
import { RowRing } from '../row-ring.ts';

export const RAIN_HOURS = 720;
export const RAIN_DAYS = 1_825;
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
/** Of an hourly row's millimetres. */
const MM_OFFSET = 4;
/** What tips the gauge's bucket, whatever the device is told. */
const BUCKET_MM = 0.2;

/** The rain gauge and its history. Sums of the open hour are in RAM: a restart loses them. */
export class RainStation {
  readonly hourly = new RowRing(RAIN_HOURS, RainHourly);
  readonly daily = new RowRing(RAIN_DAYS, RainDaily);
  readonly #board: Board;
  #pulsesAtBoot = 0;
  #pulsesAtHour = 0;

  constructor(board: Board) {
    this.#board = board;
    this.restart();
  }

  /** Since the last restart. */
  get pulses(): number {
    return this.#tipped() - this.#pulsesAtBoot;
  }

  /** In hundredths of a millimetre, of the hour that goes on. */
  get hourX100(): number {
    return this.#x100(this.#tipped() - this.#pulsesAtHour);
  }

  /** Rain of the last so many seconds by the device's clock, with the open hour, in hundredths of a millimetre. */
  sumX100(seconds: number): number {
    return this.hourX100 + this.#sumSince(this.#epochS - seconds);
  }

  /** Of the UTC day. */
  get todayX100(): number {
    return this.hourX100 + this.#sumSince(this.#epochS - (this.#epochS % DAY_S));
  }

  /** Uptime of the last pulse, roughly: when the gauge's rain could last have tipped it. */
  lastPulseS = 0;

  skipsForRain(channel: number): boolean {
    const { rain, channels } = this.#board.settings;
    if (rain.enabled === 0 || rain.integration === 0 || channels[channel]?.isRainAware !== true) return false;
    return this.sumX100(DAY_S) >= rain.skip_mm * 100;
  }

  /** An hour by the device's clock is over. */
  hourOver(epochS: number): void {
    const { settings, agenda, clock } = this.#board;
    const pulses = this.#tipped() - this.#pulsesAtHour;
    this.#pulsesAtHour = this.#tipped();
    if (pulses > 0) this.lastPulseS = Math.floor(clock.uptimeMs(agenda.now) / 1000);
    if (settings.rain.enabled === 0) return;
    const mm = Math.min(0xff_ff, this.#x100(pulses));
    this.hourly.push({ hour_epoch: epochS, mm_x100: mm, pulses: Math.min(255, pulses), quality: 100 });
    if (epochS % DAY_S === DAY_S - HOUR_S) this.#dayOver(epochS - (epochS % DAY_S));
  }

  restart(): void {
    this.#pulsesAtBoot = this.#tipped();
    this.#pulsesAtHour = this.#pulsesAtBoot;
    this.lastPulseS = 0;
  }

  #dayOver(dayS: number): void {
    let [total, most, active, hours] = [0, 0, 0, 0];
    this.#since(dayS, (x100, epochS) => {
      if (epochS >= dayS + DAY_S) return;
      total += x100;
      most = Math.max(most, x100);
      if (x100 > 0) active += 1;
      hours += 1;
    });
    this.daily.push({
      ...{ day_epoch_utc: dayS, total_x100: total, max_hour_x100: most, active_hours: Math.min(24, active) },
      completeness_pct: Math.min(100, Math.floor((hours * 100) / 24)),
    });
  }

  #sumSince(epochS: number): number {
    let sum = 0;
    this.#since(epochS, (x100) => {
      sum += x100;
    });
    return sum;
  }

  /** Goes through the newest rows, as far back as that. */
  #since(epochS: number, each: (x100: number, epochS: number) => void): void {
    for (let index = this.hourly.length - 1; index >= 0; index -= 1) {
      const at = this.hourly.epochAt(index);
      if (at < epochS) return;
      each(this.hourly.u16At(index, MM_OFFSET), at);
    }
  }

  #tipped(): number {
    return Math.floor(this.#board.world.rainMm() / BUCKET_MM);
  }

  #x100(pulses: number): number {
    return Math.round(pulses * this.#board.settings.rain.mm_per_pulse * 100);
  }

  get #epochS(): number {
    return this.#board.clock.epochS(this.#board.agenda.now);
  }
}
