import type { PlantedFault } from './planted-fault.ts';

/** Eight valves behind a master, a flow meter before all of them. */
export interface PlumbingOptions {
  /** What flows through each valve when it is open alone, in ml a minute. */
  readonly zoneMlPerMinute: readonly number[];
  readonly hasMaster: boolean;
  /** Of the meter itself; the firmware has a setting of its own. */
  readonly pulsesPerLitre: number;
}

/** Open valves share the pressure: each that is added leaves this much to all. */
const SHARED_PRESSURE = 0.85;

/** Where water flows. The flow is constant between two changes, so that only changes cost anything. */
export class Plumbing {
  readonly #options: PlumbingOptions;
  readonly #open: boolean[];
  readonly #rates: Float64Array;
  #isMasterOpen = false;
  #faults: readonly PlantedFault[] = [];
  #pressure = 1;
  #leakRate = 0;
  #atMs: number;
  /** Since the beginning, in ml; the leak is last. */
  readonly #spent: Float64Array;
  #pulses = 0;

  constructor(options: PlumbingOptions, nowMs: number) {
    this.#options = options;
    this.#atMs = nowMs;
    this.#open = options.zoneMlPerMinute.map(() => false);
    this.#rates = new Float64Array(options.zoneMlPerMinute.length);
    this.#spent = new Float64Array(options.zoneMlPerMinute.length + 1);
  }

  get zones(): number {
    return this.#open.length;
  }

  get hasMaster(): boolean {
    return this.#options.hasMaster;
  }

  get pulsesPerLitre(): number {
    return this.#options.pulsesPerLitre;
  }

  get isMasterOpen(): boolean {
    return this.#isMasterOpen;
  }

  /** Whether the firmware powers that valve, stuck or not. */
  isOpen(zone: number): boolean {
    return this.#open[zone] === true;
  }

  get isAnyOpen(): boolean {
    return this.#open.includes(true);
  }

  /** Pulses a second. */
  get pulseRate(): number {
    return (this.mlPerMinute * this.#options.pulsesPerLitre) / 60_000;
  }

  /** What the meter sees. */
  get mlPerMinute(): number {
    let sum = this.#leakRate;
    for (const rate of this.#rates) sum += rate;
    return sum;
  }

  /** Pulses since the beginning, whole ones only. */
  pulses(nowMs: number): number {
    this.advanceTo(nowMs);
    return Math.floor(this.#pulses);
  }

  /** Water that came out of a zone since the beginning, in ml. */
  spent(zone: number, nowMs: number): number {
    this.advanceTo(nowMs);
    return this.#spent[zone] ?? 0;
  }

  leaked(nowMs: number): number {
    return this.spent(this.zones, nowMs);
  }

  advanceTo(nowMs: number): void {
    const minutes = (nowMs - this.#atMs) / 60_000;
    if (minutes <= 0) return;
    this.#atMs = nowMs;
    const all = this.mlPerMinute;
    if (all === 0) return;
    for (let zone = 0; zone < this.#rates.length; zone += 1) this.#add(zone, (this.#rates[zone] ?? 0) * minutes);
    this.#add(this.zones, this.#leakRate * minutes);
    this.#pulses += (all * minutes * this.#options.pulsesPerLitre) / 1000;
  }

  /** @param pressure of the supply, 1 as usual */
  setPressure(pressure: number): void {
    this.#pressure = pressure;
  }

  setValve(zone: number | 'master', isOpen: boolean, nowMs: number): void {
    this.advanceTo(nowMs);
    if (zone === 'master') this.#isMasterOpen = isOpen;
    else this.#open[zone] = isOpen;
    this.#settle();
  }

  setFaults(faults: readonly PlantedFault[], nowMs: number): void {
    this.advanceTo(nowMs);
    this.#faults = faults;
    this.#settle();
  }

  #add(index: number, ml: number): void {
    this.#spent[index] = (this.#spent[index] ?? 0) + ml;
  }

  /** Computes what flows where from now on. */
  #settle(): void {
    const hasSupply = !this.#faults.some(({ kind }) => kind === 'empty_tank' || kind === 'frozen_pipe');
    const isOnBehindMaster = hasSupply && (!this.#options.hasMaster || this.#isMasterOpen);
    const flows = this.#open.map((isOpen, zone) => isOnBehindMaster && this.#passes(zone, isOpen));
    const together = flows.filter(Boolean).length;
    const factor = this.#pressure * SHARED_PRESSURE ** Math.max(0, together - 1);
    this.#options.zoneMlPerMinute.forEach((ml, zone) => {
      this.#rates[zone] = flows[zone] === true ? ml * factor : 0;
    });
    this.#leakRate = hasSupply ? this.#leaks(flows) : 0;
  }

  #passes(zone: number, isOpen: boolean): boolean {
    for (const fault of this.#faults) {
      if (fault.kind === 'valve_stuck_open' && fault.zone === zone) return true;
      if (fault.kind === 'valve_stuck_closed' && fault.zone === zone) return false;
    }
    return isOpen;
  }

  #leaks(flows: readonly boolean[]): number {
    let sum = 0;
    for (const fault of this.#faults) {
      if (fault.kind !== 'leak') continue;
      if (fault.zone === undefined || flows[fault.zone] === true) sum += fault.mlPerMinute;
    }
    return sum;
  }
}
