import { TimeZone, type ZoneRule } from './time-zone.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** What the firmware counts from when its clock chip fails (device sheet, §3). */
const LOST_MS = Date.UTC(2023, 0, 1);

/** What the device believes the time to be. Arguments named `now` are the true time, in ms since 1970. */
export class DeviceClock {
  #zone: TimeZone;
  #skewMs = 0;
  #bootAt: number;
  #isLost = false;

  constructor(zone: ZoneRule, now: number) {
    this.#zone = new TimeZone(zone);
    this.#bootAt = now;
  }

  get zone(): ZoneRule {
    return this.#zone.rule;
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  uptimeMs(now: number): number {
    return now - this.#bootAt;
  }

  /** The device's UTC, in ms. Without a clock chip the same day comes again and again. */
  utcMs(now: number): number {
    return this.#isLost ? LOST_MS + (this.uptimeMs(now) % DAY_MS) : now + this.#skewMs;
  }

  /** The same in seconds, as the device writes it. */
  epochS(now: number): number {
    return Math.floor(this.utcMs(now) / 1000);
  }

  offsetMinutes(now: number): number {
    return this.#zone.offsetMinutes(this.utcMs(now));
  }

  isSummer(now: number): boolean {
    return this.#zone.isSummer(this.utcMs(now));
  }

  /** The wall clock, as if it were UTC. */
  localMs(now: number): number {
    const utc = this.utcMs(now);
    return utc + this.#zone.offsetMinutes(utc) * 60_000;
  }

  /** The true time at which the wall clock will show that. */
  whenLocal(localMs: number, now: number): number {
    const utc = this.utcMs(now);
    let then = localMs - this.#zone.offsetMinutes(utc) * 60_000;
    then = localMs - this.#zone.offsetMinutes(then) * 60_000;
    return now + then - utc;
  }

  restart(now: number, hasChip: boolean): void {
    this.#bootAt = now;
    this.#isLost = !hasChip;
  }

  /** A failed read: the chip counts as unusable until the next restart. */
  lose(): void {
    this.#isLost = true;
  }

  setZone(rule: ZoneRule): void {
    this.#zone = new TimeZone(rule);
  }

  /** Sets the chip to that UTC. */
  set(utcMs: number, now: number): void {
    this.#isLost = false;
    this.#skewMs = utcMs - now;
  }
}
