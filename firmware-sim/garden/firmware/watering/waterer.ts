import type { TrueEnd } from '../../world/garden-truth.ts';
import { ALARM } from '../alarms.ts';
import type { Board } from '../board.ts';
import { FlowGuard } from './flow-guard.ts';
import { learnFrom } from './learned-flow.ts';
import { Locks } from './locks.ts';
import { Run, type Task } from './run.ts';
import { Statistics } from './statistics.ts';
import { endNotice, startNotice } from './watering-notice.ts';

export const QUEUE_LENGTH = 10;
/** The firmware's loop looks at the queue this often. */
const LOOP_MS = 500;
/** The master opens before the channel, and closes after it. */
const MASTER_MS = 1_000;
const RETRY_MS = 5_000;
const MOST_ATTEMPTS = 3;
const MOST_NO_FLOW_RUNS = 3;

export type Refusal = 'queue_full' | 'freeze' | 'rain' | 'locked';

/** What the weather says about watering a channel. */
export interface WeatherRules {
  readonly isFrozen: boolean;
  skipsForRain(channel: number): boolean;
}

/** The queue and the one run at a time. */
export class Waterer {
  readonly locks: Locks;
  readonly guard: FlowGuard;
  readonly statistics: Statistics;
  /** Runs that ended by themselves since the last restart. */
  completed = 0;
  readonly #board: Board;
  readonly #weather: WeatherRules;
  readonly #queue: Task[] = [];
  #run: Run | undefined;

  constructor(board: Board, weather: WeatherRules) {
    this.#board = board;
    this.#weather = weather;
    this.locks = new Locks(board, () => {
      this.#lookLater();
      this.guard.changed();
    });
    this.guard = new FlowGuard(board, this.locks);
    this.statistics = new Statistics(board.settings.channels.length);
    // A volume takes as long as the flow makes it.
    board.world.onFaults(() => this.#planEnd());
  }

  get queue(): readonly Task[] {
    return this.#queue;
  }

  get run(): Run | undefined {
    return this.#run;
  }

  /** Queues a task. That it was taken does not mean that water will flow (device sheet, §0.8). */
  enqueue(task: Task): Refusal | undefined {
    const { agenda, clock, behaviour, world } = this.#board;
    const refusal = this.#refusal(task);
    if (refusal !== undefined) {
      world.truth.skips.push({ zone: task.channel, at: agenda.now, why: refusal });
      if (refusal === 'rain' || refusal === 'freeze') this.#row(task.channel, { kind: 'skip', why: refusal });
      return refusal;
    }
    if (task.trigger === 'schedule') {
      const isWaiting = this.#queue.some(({ channel, trigger }) => channel === task.channel && trigger === 'schedule');
      if (isWaiting) return undefined;
      this.statistics.of(task.channel).lastEpochS = clock.epochS(agenda.now);
    } else if (behaviour === 'fixed' && this.locks.isLocked(task.channel)) return 'locked';
    this.#queue.push(task);
    this.#board.signal({ kind: 'queue' });
    this.#lookLater();
    return undefined;
  }

  /** @returns whether there was anything to start */
  startNext(): boolean {
    if (this.#queue.length === 0) return false;
    this.#board.agenda.cancel('queue');
    this.#look();
    return true;
  }

  clearQueue(): void {
    this.#queue.length = 0;
    this.#board.signal({ kind: 'queue' });
  }

  /** Ends the run by hand; false if there is none. */
  stop(): boolean {
    if (this.#run === undefined) return false;
    this.#end('stopped');
    return true;
  }

  pause(): boolean {
    const run = this.#run;
    if (run === undefined || run.phase === 'paused') return false;
    run.hold(this.#now);
    run.phase = 'paused';
    for (const name of ['channel opens', 'retry', 'run']) this.#board.agenda.cancel(name);
    this.#valve(run.task.channel, false);
    this.guard.closed();
    this.#tell();
    return true;
  }

  resume(): boolean {
    const run = this.#run;
    if (run?.phase !== 'paused') return false;
    this.#openChannel(run);
    this.#tell();
    return true;
  }

  /** The power fails: valves shut by themselves, and nobody writes anything down. */
  losePower(): void {
    const { agenda, world } = this.#board;
    this.#run?.ended(this.#now, 'power_lost');
    world.truth.running = undefined;
    this.#run = undefined;
    this.#queue.length = 0;
    this.completed = 0;
    this.statistics.restart();
    for (const name of ['queue', 'channel opens', 'retry', 'run', 'master closes']) agenda.cancel(name);
    for (let zone = 0; zone < world.plumbing.zones; zone += 1) world.plumbing.setValve(zone, false, this.#now);
    world.plumbing.setValve('master', false, this.#now);
    this.guard.restart();
  }

  get #now(): number {
    return this.#board.agenda.now;
  }

  #refusal(task: Task): Exclude<Refusal, 'locked'> | undefined {
    if (this.#queue.length >= QUEUE_LENGTH) return 'queue_full';
    if (this.#weather.isFrozen) return 'freeze';
    return this.#weather.skipsForRain(task.channel) ? 'rain' : undefined;
  }

  #lookLater(): void {
    this.#board.agenda.plan('queue', this.#now + LOOP_MS, () => this.#look());
  }

  /** Starts the first task that may be. A manual one that may not is dropped without a word; others wait. */
  #look(): void {
    if (this.#run !== undefined) return;
    for (let index = 0; index < this.#queue.length; ) {
      const task = this.#queue[index];
      if (task === undefined) return;
      const isLocked = this.locks.isLocked(task.channel);
      if (isLocked && task.trigger === 'schedule') {
        index += 1;
        continue;
      }
      this.#queue.splice(index, 1);
      if (!isLocked) {
        this.#start(task);
        return;
      }
      this.#board.world.truth.skips.push({ zone: task.channel, at: this.#now, why: 'locked' });
      this.#board.signal({ kind: 'queue' });
    }
  }

  #start(task: Task): void {
    const { agenda, clock, world, behaviour } = this.#board;
    const { channel, mode, value } = task;
    const uptimeS = Math.floor(clock.uptimeMs(this.#now) / 1000);
    world.plumbing.setPressure(1 + 0.04 * (world.random.next() - 0.5));
    const run = new Run({ task, world, now: this.#now, uptimeS, behaviour });
    this.#run = run;
    world.truth.running = run.soFar(this.#now);
    this.#row(channel, { kind: 'start', mode, target: value, trigger: task.trigger === 'schedule' ? 1 : 0 });
    const stamp = behaviour === 'fixed' ? clock.epochS(this.#now) : uptimeS;
    this.#board.signal({ kind: 'watering_notice', bytes: () => startNotice(channel, stamp) });
    if (this.#board.settings.hasMaster) {
      agenda.cancel('master closes');
      agenda.cancel('mainline test');
      this.master(true);
      agenda.plan('channel opens', this.#now + MASTER_MS, () => this.#openChannel(run));
    } else this.#openChannel(run);
    this.#tell();
  }

  /** Opens or closes the master valve. */
  master(isOpen: boolean): void {
    const { world } = this.#board;
    if (world.plumbing.isMasterOpen === isOpen) return;
    world.plumbing.setValve('master', isOpen, this.#now);
    this.#board.signal({ kind: 'valve', channel: 0xff, isOpen });
    this.guard.changed();
  }

  #openChannel(run: Run): void {
    run.phase = 'watering';
    run.goOn(this.#now);
    this.#valve(run.task.channel, true);
    this.#planEnd();
    this.guard.opened(run.task.channel, {
      noFlow: () => this.#noFlow(run),
      flows: () => this.#flows(run),
      highFlow: () => this.#highFlow(run),
    });
    this.guard.changed();
  }

  #planEnd(): void {
    const { agenda, world, settings } = this.#board;
    const run = this.#run;
    if (run === undefined || run.phase === 'paused' || run.phase === 'opening') return;
    const { mode, value } = run.task;
    if (mode === 'minutes') {
      const left = value * 60_000 - run.wateredMs(this.#now);
      agenda.plan('run', this.#now + left, () => this.#end('completed'));
      return;
    }
    const left = Math.ceil(value * settings.pulsesPerLitre - run.pulses(this.#now));
    const { pulseRate } = world.plumbing;
    if (left <= 0) agenda.plan('run', this.#now, () => this.#end('completed'));
    else if (pulseRate === 0) agenda.cancel('run');
    // The last pulse may come a moment later than computed.
    else agenda.plan('run', this.#now + Math.ceil((left / pulseRate) * 1000) + 1, () => this.#planEnd());
  }

  #flows(run: Run): void {
    if (run.attempts > 0) {
      this.#board.alarms.raise(ALARM.no_flow, 0);
      this.#board.state.set('no_flow', false);
    }
    run.attempts = 0;
    run.hasFlowed = true;
  }

  #noFlow(run: Run): void {
    const { agenda, alarms, state, settings } = this.#board;
    const { channel } = run.task;
    run.attempts += 1;
    if (run.attempts === 1) {
      alarms.raise(ALARM.no_flow, run.attempts);
      state.set('no_flow', true);
    }
    if (run.attempts < MOST_ATTEMPTS) {
      run.phase = 'retrying';
      this.#valve(channel, false);
      this.guard.closed();
      agenda.plan('retry', this.#now + RETRY_MS, () => {
        run.countAgain(this.#now);
        this.#openChannel(run);
      });
      return;
    }
    const known = settings.channels[channel];
    const runs = Math.min(255, (known?.noFlowRuns ?? 0) + 1);
    if (known !== undefined) known.noFlowRuns = runs;
    this.#end('no_flow');
    this.locks.lockChannel(channel, runs < MOST_NO_FLOW_RUNS ? 1 : 2, 'no_flow');
  }

  #highFlow(run: Run): void {
    const { channel } = run.task;
    const known = this.#board.settings.channels[channel];
    if (known !== undefined) known.highFlowRuns = Math.min(255, known.highFlowRuns + 1);
    this.#end('high_flow');
    this.#board.alarms.raise(ALARM.high_flow, channel);
    this.locks.lockChannel(channel, 2, 'high_flow');
    this.guard.mustStop(channel);
  }

  #end(how: TrueEnd): void {
    const { agenda, behaviour, clock, settings, world } = this.#board;
    const run = this.#run;
    if (run === undefined) return;
    const now = this.#now;
    run.hold(now);
    const { channel } = run.task;
    const ml = run.millilitres(now, settings.pulsesPerLitre);
    this.#run = undefined;
    world.truth.running = undefined;
    run.ended(now, how);
    for (const name of ['channel opens', 'retry', 'run']) agenda.cancel(name);
    if (world.plumbing.isOpen(channel)) this.#valve(channel, false);
    this.guard.closed();
    if (settings.hasMaster) agenda.plan('master closes', now + MASTER_MS, () => this.master(false));
    if (how === 'completed') this.#completed(run, ml);
    if (how !== 'completed' || behaviour === 'fixed') {
      this.#row(channel, { kind: 'stop', actual: run.amount(now, settings.pulsesPerLitre) });
      const bytes = () => endNotice(channel, clock.epochS(now), ml, behaviour);
      this.#board.signal({ kind: 'watering_notice', bytes });
    }
    this.#lookLater();
    this.#tell();
  }

  #completed(run: Run, ml: number): void {
    const { channel } = run.task;
    this.completed = (this.completed + 1) % 256;
    this.statistics.completed(run.task);
    const known = this.#board.settings.channels[channel];
    if (known === undefined) return;
    if (run.hasFlowed) known.noFlowRuns = 0;
    if (learnFrom(known.learned, ml, run.wateredMs(this.#now))) this.#board.signal({ kind: 'hydraulic', channel });
  }

  #valve(channel: number, isOpen: boolean): void {
    this.#board.world.plumbing.setValve(channel, isOpen, this.#now);
    this.#board.signal({ kind: 'valve', channel, isOpen });
  }

  #tell(): void {
    this.#board.signal({ kind: 'task' });
    this.#board.signal({ kind: 'queue' });
  }

  #row(channel: number, event: Parameters<Board['history']['add']>[2]): void {
    this.#board.history.add(channel, this.#board.clock.epochS(this.#now), event);
  }
}
