import { ALARM } from '../alarms.ts';
import type { Board } from '../board.ts';
import { TICK_S } from '../settings.ts';
import type { Waterer } from './waterer.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const AT_MS = 3 * 60 * MINUTE_MS;
const TEST_MS = MINUTE_MS;
const MOST_PULSES = 3;

/** At three in the morning, all channels shut and the master open, nothing may flow. */
export class MainlineTest {
  readonly #board: Board;
  readonly #waterer: Waterer;

  constructor(board: Board, waterer: Waterer) {
    this.#board = board;
    this.#waterer = waterer;
  }

  plan(): void {
    const { agenda, clock } = this.#board;
    const local = clock.localMs(agenda.now);
    const today = Math.floor(local / DAY_MS) * DAY_MS + AT_MS;
    const next = local < today ? today : today + DAY_MS;
    const at = clock.isLost ? agenda.now + next - local : clock.whenLocal(next, agenda.now);
    agenda.plan('mainline test is due', at, () => this.#due());
  }

  /** It is done if a round of the scheduler falls into the minute, which with slow rounds it may not. */
  #due(): void {
    const { agenda, clock, settings } = this.#board;
    const tickMs = (TICK_S[settings.powerMode] ?? 60) * 1000;
    const untilTick = (tickMs - (clock.uptimeMs(agenda.now) % tickMs)) % tickMs;
    const isIdle = this.#waterer.run === undefined && this.#waterer.queue.tasks.length === 0;
    if (untilTick < MINUTE_MS && isIdle && settings.globalLock.level === 0) {
      agenda.plan('mainline test', agenda.now + untilTick, () => this.#begin());
    }
    this.plan();
  }

  #begin(): void {
    const { agenda, world, settings } = this.#board;
    if (this.#waterer.run !== undefined) return;
    if (settings.hasMaster) this.#waterer.master(true);
    const before = world.plumbing.pulses(agenda.now);
    agenda.plan('mainline test', agenda.now + TEST_MS, () => this.#end(before));
  }

  #end(before: number): void {
    const { agenda, alarms, world } = this.#board;
    const pulses = world.plumbing.pulses(agenda.now) - before;
    this.#waterer.master(false);
    if (pulses <= MOST_PULSES) return;
    alarms.raise(ALARM.mainline_leak, Math.min(0xff_ff, pulses));
    this.#waterer.locks.lockAll(2, 'mainline_leak', 0);
  }
}
