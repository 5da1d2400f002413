import { ALARM } from '../alarms.ts';
import type { Board } from '../board.ts';
import { LOCK_REASONS, type LockState, UNLOCKED } from '../settings.ts';

const SOFT_NO_FLOW_MS = 15 * 60_000;
const SOFT_MS = 6 * 60 * 60_000;

type Reason = Exclude<keyof typeof LOCK_REASONS, 'none'>;

/** Channels, or everything, that must not be watered (device sheet, §2.5 and §2.7). */
export class Locks {
  readonly #board: Board;
  readonly #released: () => void;

  /** @param released called when a soft lock is over, so that waiting tasks may try again */
  constructor(board: Board, released: () => void) {
    this.#board = board;
    this.#released = released;
  }

  isLocked(channel: number): boolean {
    const { settings } = this.#board;
    return settings.globalLock.level !== 0 || settings.channels[channel]?.lock.level !== 0;
  }

  lockChannel(channel: number, level: 1 | 2, reason: Reason): void {
    const settings = this.#board.settings.channels[channel];
    if (settings === undefined) return;
    const lock = this.#lock(level, reason);
    settings.lock = lock;
    settings.lastAnomalyS = lock.epochS;
    if (level === 2) this.#board.alarms.raise(ALARM.channel_lock, channel);
    this.#settled(channel);
    if (level === 1) this.#board.agenda.plan(`lock ${channel}`, lock.retryAt, () => this.release(channel));
  }

  lockAll(level: 1 | 2, reason: Reason, channel: number): void {
    const { settings, alarms, agenda } = this.#board;
    const lock = this.#lock(level, reason);
    settings.globalLock = lock;
    alarms.raise(ALARM.global_lock, channel);
    this.#settled(channel);
    if (level === 1) agenda.plan('global lock', lock.retryAt, () => this.#releaseAll());
  }

  release(channel: number): void {
    const settings = this.#board.settings.channels[channel];
    if (settings === undefined || settings.lock.level === 0) return;
    settings.lock = UNLOCKED;
    this.#settled(channel);
    this.#released();
  }

  /** Ends all of them, and what was counted towards them. */
  clear(): void {
    const { settings, state } = this.#board;
    for (const channel of settings.channels) {
      Object.assign(channel, { lock: UNLOCKED, noFlowRuns: 0, highFlowRuns: 0, unexpectedRuns: 0 });
    }
    settings.globalLock = UNLOCKED;
    state.set('unexpected_flow', false);
    this.#settled(0);
    this.#released();
  }

  /** Hard locks come back from flash; soft ones were in RAM. */
  restart(): void {
    const { settings, agenda } = this.#board;
    settings.channels.forEach((channel, index) => {
      agenda.cancel(`lock ${index}`);
      if (channel.lock.level === 1) channel.lock = UNLOCKED;
    });
    agenda.cancel('global lock');
    if (settings.globalLock.level === 1) settings.globalLock = UNLOCKED;
    this.show();
  }

  #releaseAll(): void {
    this.#board.settings.globalLock = UNLOCKED;
    this.#settled(0);
    this.#released();
  }

  #lock(level: 1 | 2, reason: Reason): LockState {
    const { agenda, clock } = this.#board;
    const epochS = clock.epochS(agenda.now);
    const softMs = reason === 'no_flow' ? SOFT_NO_FLOW_MS : SOFT_MS;
    if (level === 2) return { level, reason: LOCK_REASONS[reason], epochS, retryEpochS: 0, retryAt: 0 };
    const retryEpochS = epochS + softMs / 1000;
    return { level, reason: LOCK_REASONS[reason], epochS, retryEpochS, retryAt: agenda.now + softMs };
  }

  #settled(channel: number): void {
    this.show();
    this.#board.signal({ kind: 'hydraulic', channel });
  }

  /** Shows in the overall state what is locked. */
  show(): void {
    const { settings, state } = this.#board;
    const isHard = settings.channels.some(({ lock }) => lock.level === 2);
    state.set('locked', isHard || settings.globalLock.level !== 0);
    const isWithoutFlow = settings.channels.some(
      ({ lock }) => lock.level === 1 && lock.reason === LOCK_REASONS.no_flow,
    );
    state.set('no_flow', isWithoutFlow);
  }
}
