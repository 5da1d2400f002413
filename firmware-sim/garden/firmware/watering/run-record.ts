import type { TrueEnd } from '../../world/garden-truth.ts';
import type { Board } from '../board.ts';
import { learnFrom } from './learned-flow.ts';
import type { Run } from './run.ts';
import { Statistics } from './statistics.ts';
import { endNotice, startNotice } from './watering-notice.ts';

/** What the firmware writes down and tells of its runs, and the truth beside it. */
export class RunRecord {
  readonly statistics: Statistics;
  /** Runs that ended by themselves since the last restart; one byte. */
  completed = 0;
  readonly #board: Board;

  constructor(board: Board) {
    this.#board = board;
    this.statistics = new Statistics(board.settings.channels.length);
  }

  started(run: Run): void {
    const { agenda, behaviour, clock, world } = this.#board;
    const { channel, mode, value, trigger } = run.task;
    world.truth.running = run.soFar(agenda.now);
    this.#row(channel, { kind: 'start', mode, target: value, trigger: trigger === 'schedule' ? 1 : 0 });
    const stamp = behaviour === 'fixed' ? clock.epochS(agenda.now) : run.uptimeS;
    this.#board.signal({ kind: 'watering_notice', bytes: () => startNotice(channel, stamp) });
  }

  /** A run that ends by itself leaves no row (device sheet, §0.1). */
  ended(run: Run, how: TrueEnd): void {
    const { agenda, behaviour, clock, settings, world } = this.#board;
    const { now } = agenda;
    const { channel } = run.task;
    const ml = run.millilitres(now, settings.pulsesPerLitre);
    world.truth.running = undefined;
    run.ended(now, how);
    if (how === 'completed') this.#completed(run, ml);
    if (how === 'completed' && behaviour === 'as-is') return;
    this.#row(channel, { kind: 'stop', actual: run.amount(now, settings.pulsesPerLitre) });
    const epochS = clock.epochS(now);
    this.#board.signal({ kind: 'watering_notice', bytes: () => endNotice(channel, epochS, ml, behaviour) });
  }

  losePower(run: Run | undefined): void {
    const { agenda, world } = this.#board;
    run?.ended(agenda.now, 'power_lost');
    world.truth.running = undefined;
    this.completed = 0;
    this.statistics.restart();
  }

  #completed(run: Run, ml: number): void {
    const { channel } = run.task;
    const { agenda, settings } = this.#board;
    this.completed = (this.completed + 1) % 256;
    this.statistics.completed(run.task);
    const known = settings.channels[channel];
    if (known === undefined) return;
    if (run.hasFlowed) known.noFlowRuns = 0;
    if (learnFrom(known.learned, ml, run.wateredMs(agenda.now))) this.#board.signal({ kind: 'hydraulic', channel });
  }

  #row(channel: number, event: Parameters<Board['history']['add']>[2]): void {
    this.#board.history.add(channel, this.#board.clock.epochS(this.#board.agenda.now), event);
  }
}
