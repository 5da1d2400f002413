import { ALARM } from '../alarms.ts';
import type { Board } from '../board.ts';
import type { Profile } from '../settings.ts';
import { isCalibrated } from './learned-flow.ts';
import type { Locks } from './locks.ts';

/** How long the flow of a channel may take to begin (device sheet, §2.6). */
const GRACE_MS: Readonly<Record<Profile, number>> = { auto: 20_000, spray: 15_000, drip: 60_000 };
const STALLED_MS = 3_000;
const HIGH_MS = 5_000;
const LOW_MS = 30_000;
const LOW_AGAIN_MS = 60 * 60_000;
const HIGH_SHARE = 1.3;
const LOW_SHARE = 0.6;
const UNLEARNED_ML_MIN = 20_000;
/** 30 checks of 30 s each. */
const CHECK_S = 30;
const UNEXPECTED_MS = 30 * CHECK_S * 1000;
const UNEXPECTED_PULSES = 10;
/** Runs of unexpected flow after which it stays locked. */
const MOST_UNEXPECTED = 3;
/** How long after a stop for high flow the water must have stopped. */
const MUST_STOP_MS = 10_000;

interface Watched {
  /** Nothing flows: close, and try again or give up. */
  readonly noFlow: () => void;
  readonly flows: () => void;
  readonly highFlow: () => void;
}

/** Watches the meter: while a channel is open, and while all are shut. */
export class FlowGuard {
  readonly #board: Board;
  readonly #locks: Locks;
  #open: { readonly channel: number; readonly watched: Watched; isStarted: boolean } | undefined;
  #lowAlarmAt = Number.NEGATIVE_INFINITY;

  constructor(board: Board, locks: Locks) {
    this.#board = board;
    this.#locks = locks;
    board.world.onFaults(() => this.changed());
  }

  /** A channel was opened. */
  opened(channel: number, watched: Watched): void {
    const { agenda, settings } = this.#board;
    this.#open = { channel, watched, isStarted: false };
    const profile = settings.channels[channel]?.profile ?? 'auto';
    agenda.cancel('unexpected flow');
    agenda.plan('flow begins', agenda.now + GRACE_MS[profile], () => this.#begun());
  }

  closed(): void {
    const { agenda } = this.#board;
    this.#open = undefined;
    for (const name of ['flow begins', 'stalled', 'high flow', 'low flow']) agenda.cancel(name);
    this.changed();
  }

  /** The flow may be another one now. */
  changed(): void {
    if (!this.#board.isOn) return;
    this.#board.signal({ kind: 'flow' });
    if (this.#open === undefined) this.#watchShut();
    else if (this.#open.isStarted) this.#watchOpen();
  }

  /** Water must have stopped by then, or everything is locked. */
  mustStop(channel: number): void {
    const { agenda } = this.#board;
    agenda.plan('flow must stop', agenda.now + MUST_STOP_MS, () => {
      if (this.#open !== undefined || this.#pulsesACheck() <= UNEXPECTED_PULSES) return;
      this.#locks.lockAll(2, 'high_flow', channel);
    });
  }

  restart(): void {
    this.closed();
    this.#board.agenda.cancel('flow must stop');
    this.#board.agenda.cancel('unexpected flow');
    this.changed();
  }

  /** What the firmware takes the flow for. */
  get mlPerMinute(): number {
    const { world, settings } = this.#board;
    return (world.plumbing.pulseRate * 60_000) / settings.pulsesPerLitre;
  }

  #begun(): void {
    if (this.#open === undefined) return;
    if (this.#board.world.plumbing.pulseRate === 0) {
      this.#open.watched.noFlow();
      return;
    }
    this.#open.isStarted = true;
    this.#open.watched.flows();
    this.#watchOpen();
  }

  #watchOpen(): void {
    const open = this.#open;
    if (open === undefined) return;
    const { world, settings } = this.#board;
    const learned = settings.channels[open.channel]?.learned;
    const nominal = learned !== undefined && isCalibrated(learned) ? learned.nominalMlMin : 0;
    const flow = this.mlPerMinute;
    const isHigh = flow > (nominal === 0 ? UNLEARNED_ML_MIN : nominal * HIGH_SHARE);
    this.#after('stalled', STALLED_MS, world.plumbing.pulseRate === 0, open.watched.noFlow);
    this.#after('high flow', HIGH_MS, isHigh, open.watched.highFlow);
    this.#after('low flow', LOW_MS, flow > 0 && flow < nominal * LOW_SHARE, () => this.#low(open.channel));
  }

  #after(name: string, ms: number, isSo: boolean, run: () => void): void {
    const { agenda } = this.#board;
    if (!isSo) agenda.cancel(name);
    else if (!agenda.has(name)) agenda.plan(name, agenda.now + ms, run);
  }

  #low(channel: number): void {
    const { agenda, alarms, clock, settings } = this.#board;
    if (agenda.now - this.#lowAlarmAt < LOW_AGAIN_MS) return;
    this.#lowAlarmAt = agenda.now;
    const settled = settings.channels[channel];
    if (settled !== undefined) settled.lastAnomalyS = clock.epochS(agenda.now);
    alarms.raise(ALARM.low_flow, channel);
    this.#board.signal({ kind: 'hydraulic', channel });
  }

  #watchShut(): void {
    const { agenda, alarms, state } = this.#board;
    if (this.#pulsesACheck() > UNEXPECTED_PULSES) {
      if (agenda.has('unexpected flow')) return;
      const isKnown = state.has('unexpected_flow') && this.#board.settings.globalLock.level !== 0;
      if (!isKnown) agenda.plan('unexpected flow', agenda.now + UNEXPECTED_MS, () => this.#unexpected());
      // It is told again at every check, which only matters while somebody listens.
      else if (alarms.isHeard) agenda.plan('unexpected flow', agenda.now + CHECK_S * 1000, () => this.#unexpected());
      return;
    }
    agenda.cancel('unexpected flow');
    if (!state.has('unexpected_flow')) return;
    state.set('unexpected_flow', false);
    alarms.raise(ALARM.unexpected_flow, 0);
  }

  #unexpected(): void {
    const { alarms, state, settings } = this.#board;
    alarms.raise(ALARM.unexpected_flow, Math.min(0xff_ff, this.#pulsesACheck()));
    state.set('unexpected_flow', true);
    // The count is the device's; it is kept with the first channel.
    const [first] = settings.channels;
    if (settings.globalLock.level === 0 && first !== undefined) {
      first.unexpectedRuns = Math.min(255, first.unexpectedRuns + 1);
      this.#locks.lockAll(first.unexpectedRuns < MOST_UNEXPECTED ? 1 : 2, 'unexpected_flow', 0);
    }
    this.#watchShut();
  }

  #pulsesACheck(): number {
    return Math.floor(this.#board.world.plumbing.pulseRate * CHECK_S);
  }
}
