import { climateAt, dayLength } from '../../world/climate.ts';
import type { Board } from '../board.ts';
import type { ScheduleSetting } from '../settings.ts';
import type { Task } from './run.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** A channel watered by what its plants need runs this long when it has no amount. */
const AUTO_MINUTES = 10;

/** When the next schedule is due on the device's own wall clock, and what it queues. */
export class Schedules {
  readonly #board: Board;
  readonly #enqueue: (task: Task) => void;
  /** Wall-clock time up to which everything due was queued. */
  #doneMs: number;

  constructor(board: Board, enqueue: (task: Task) => void) {
    this.#board = board;
    this.#enqueue = enqueue;
    this.#doneMs = this.#localNow();
    this.planAgain();
  }

  /** The clock, its zone or a schedule has changed: what was missed by that is missed. */
  changed(): void {
    this.#doneMs = this.#localNow();
    this.planAgain();
  }

  /** What comes next, for the snapshot. */
  next(): { readonly channel: number; readonly localMs: number } | undefined {
    let first: { readonly channel: number; readonly localMs: number } | undefined;
    for (const { schedule } of this.#board.settings.channels) {
      const localMs = this.#nextOf(schedule, this.#doneMs);
      if (localMs === undefined || (first !== undefined && localMs >= first.localMs)) continue;
      first = { channel: schedule.channel_id, localMs };
    }
    return first;
  }

  planAgain(): void {
    const { agenda, clock } = this.#board;
    const next = this.next();
    const midnight = (Math.floor(this.#doneMs / DAY_MS) + 1) * DAY_MS;
    const localMs = Math.min(next?.localMs ?? midnight, midnight);
    // A lost clock never gets to the next day; it begins the same one again.
    const at = clock.isLost ? agenda.now + (localMs - this.#doneMs) : clock.whenLocal(localMs, agenda.now);
    agenda.plan('schedule', at, () => this.#due(localMs));
  }

  #due(localMs: number): void {
    const from = this.#doneMs;
    this.#doneMs = this.#board.clock.isLost ? this.#localNow() : Math.max(localMs, this.#localNow());
    for (const { schedule } of this.#board.settings.channels) {
      if (this.#nextOf(schedule, from) !== localMs) continue;
      this.#enqueue({
        ...{ channel: schedule.channel_id, trigger: 'schedule', mode: schedule.mode === 1 ? 'litres' : 'minutes' },
        value: schedule.value === 0 ? AUTO_MINUTES : schedule.value,
      });
    }
    this.planAgain();
  }

  #localNow(): number {
    return this.#board.clock.localMs(this.#board.agenda.now);
  }

  /** When it is next due after that, today or at the beginning of tomorrow. */
  #nextOf(schedule: ScheduleSetting, afterMs: number): number | undefined {
    if (schedule.enabled === 0) return undefined;
    const day = Math.floor(afterMs / DAY_MS);
    for (const candidate of [day, day + 1]) {
      if (!isDueOn(schedule, candidate)) continue;
      const at = candidate * DAY_MS + this.#minuteOf(schedule, candidate * DAY_MS) * MINUTE_MS;
      if (at > afterMs) return at;
    }
    return undefined;
  }

  #minuteOf({ hour, minute, solar, solar_event: event, solar_offset_min: offset }: ScheduleSetting, dayMs: number) {
    if (solar === 0) return hour * 60 + minute;
    const half = (dayLength(climateAt(this.#board.world.latitude), dayMs) / 2) * 60;
    const noon = 12 * 60;
    return Math.round(Math.min(1439, Math.max(1, (event === 1 ? noon - half : noon + half) + offset)));
  }
}

/** @param day whole days since 1970, on the wall clock */
function isDueOn({ type, days_or_interval: rule }: ScheduleSetting, day: number): boolean {
  if (type === 1) return rule > 0 && day % rule === 0;
  // 1 January 1970 was a Thursday.
  return (rule & (1 << ((day + 4) % 7))) !== 0;
}
