import type { Firmware } from '../firmware/firmware.ts';

const LEAST = 100;
const MOST = 10_000;

/** Counts pulses for a known volume, to learn how many make a litre. */
export class Calibration {
  readonly #firmware: Firmware;
  /** The meter's count at the start, while it goes on. */
  from: number | undefined;
  computed = 0;
  #pulses = 0;

  constructor(firmware: Firmware) {
    this.#firmware = firmware;
  }

  start(): void {
    this.from = this.#count();
  }

  stop(): void {
    if (this.from === undefined) return;
    this.#pulses = this.#count() - this.from;
    this.from = undefined;
  }

  compute(ml: number): boolean {
    const pulses = this.from === undefined ? this.#pulses : this.#count() - this.from;
    const computed = ml === 0 ? 0 : Math.round((pulses * 1000) / ml);
    if (computed < LEAST || computed > MOST) return false;
    this.computed = computed;
    return true;
  }

  apply(): boolean {
    if (this.computed === 0) return false;
    this.#firmware.settings.pulsesPerLitre = this.computed;
    return true;
  }

  #count(): number {
    const { world, agenda } = this.#firmware;
    return world.plumbing.pulses(agenda.now);
  }
}
