import type { TrueEnd } from '../../world/garden-truth.ts';
import { ALARM } from '../alarms.ts';
import type { Board } from '../board.ts';
import { FlowGuard } from './flow-guard.ts';
import { Locks } from './locks.ts';
import { Run, type Task } from './run.ts';
import { RunRecord } from './run-record.ts';
import { type Refusal, TaskQueue, type WeatherRules } from './task-queue.ts';
import { Valves } from './valves.ts';

/** The firmware's loop looks at the queue this often. */
const LOOP_MS = 500;
/** The master opens before the channel, and closes after it. */
const MASTER_MS = 1_000;
const RETRY_MS = 5_000;
const MOST_ATTEMPTS = 3;
const MOST_NO_FLOW_RUNS = 3;

/** One run at a time, from the queue. */
export class Waterer {
  readonly locks: Locks;
  readonly guard: FlowGuard;
  readonly record: RunRecord;
  readonly queue: TaskQueue;
  readonly #valves: Valves;
  readonly #board: Board;
  #run: Run | undefined;

  constructor(board: Board, weather: WeatherRules) {
    this.#board = board;
    this.locks = new Locks(board, () => {
      this.#lookLater();
      this.guard.changed();
    });
    this.guard = new FlowGuard(board, this.locks);
    this.record = new RunRecord(board);
    this.queue = new TaskQueue(board, weather, this.locks);
    this.#valves = new Valves(board);
    // A volume takes as long as the flow makes it.
    board.world.onFaults(() => this.#planEnd());
  }

  get run(): Run | undefined {
    return this.#run;
  }

  /** Queues a task. That it was taken does not mean that water will flow (device sheet, §0.8). */
  enqueue(task: Task): Refusal | undefined {
    const { agenda, clock } = this.#board;
    const refusal = this.queue.add(task);
    if (refusal !== undefined) return refusal;
    if (task.trigger === 'schedule') this.record.statistics.of(task.channel).lastEpochS = clock.epochS(agenda.now);
    this.#lookLater();
    return undefined;
  }

  /** @returns whether there was anything to start */
  startNext(): boolean {
    if (this.queue.tasks.length === 0) return false;
    this.#board.agenda.cancel('queue');
    this.#look();
    return true;
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
    this.#forgetPlans();
    this.#valves.set(run.task.channel, false);
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

  /** Opens or closes the master valve. */
  master(isOpen: boolean): void {
    if (this.#valves.setMaster(isOpen)) this.guard.changed();
  }

  /** The power fails: nobody writes anything down. */
  losePower(): void {
    this.record.losePower(this.#run);
    this.#run = undefined;
    this.queue.losePower();
    this.#forgetPlans();
    for (const name of ['queue', 'master closes']) this.#board.agenda.cancel(name);
    this.#valves.losePower();
    this.guard.restart();
  }

  get #now(): number {
    return this.#board.agenda.now;
  }

  #lookLater(): void {
    this.#board.agenda.plan('queue', this.#now + LOOP_MS, () => this.#look());
  }

  #look(): void {
    if (this.#run !== undefined) return;
    const task = this.queue.take();
    if (task !== undefined) this.#start(task);
  }

  #start(task: Task): void {
    const { agenda, clock, world, behaviour, settings } = this.#board;
    const uptimeS = Math.floor(clock.uptimeMs(this.#now) / 1000);
    world.plumbing.setPressure(1 + 0.04 * (world.random.next() - 0.5));
    const run = new Run({ task, world, now: this.#now, uptimeS, behaviour });
    this.#run = run;
    this.record.started(run);
    if (settings.hasMaster) {
      for (const name of ['master closes', 'mainline test']) agenda.cancel(name);
      this.master(true);
      agenda.plan('channel opens', this.#now + MASTER_MS, () => this.#openChannel(run));
    } else this.#openChannel(run);
    this.#tell();
  }

  #openChannel(run: Run): void {
    run.phase = 'watering';
    run.goOn(this.#now);
    this.#valves.set(run.task.channel, true);
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
    const { agenda, alarms, state } = this.#board;
    run.attempts += 1;
    if (run.attempts === 1) {
      alarms.raise(ALARM.no_flow, run.attempts);
      state.set('no_flow', true);
    }
    if (run.attempts >= MOST_ATTEMPTS) {
      this.#giveUp(run);
      return;
    }
    run.phase = 'retrying';
    this.#valves.set(run.task.channel, false);
    this.guard.closed();
    agenda.plan('retry', this.#now + RETRY_MS, () => {
      run.countAgain(this.#now);
      this.#openChannel(run);
    });
  }

  #giveUp({ task: { channel } }: Run): void {
    const known = this.#board.settings.channels[channel];
    const runs = Math.min(255, (known?.noFlowRuns ?? 0) + 1);
    if (known !== undefined) known.noFlowRuns = runs;
    this.#end('no_flow');
    this.locks.lockChannel(channel, runs < MOST_NO_FLOW_RUNS ? 1 : 2, 'no_flow');
  }

  #highFlow({ task: { channel } }: Run): void {
    const known = this.#board.settings.channels[channel];
    if (known !== undefined) known.highFlowRuns = Math.min(255, known.highFlowRuns + 1);
    this.#end('high_flow');
    this.#board.alarms.raise(ALARM.high_flow, channel);
    this.locks.lockChannel(channel, 2, 'high_flow');
    this.guard.mustStop(channel);
  }

  #end(how: TrueEnd): void {
    const { agenda, settings } = this.#board;
    const run = this.#run;
    if (run === undefined) return;
    run.hold(this.#now);
    this.#run = undefined;
    this.#forgetPlans();
    this.#valves.set(run.task.channel, false);
    this.guard.closed();
    if (settings.hasMaster) agenda.plan('master closes', this.#now + MASTER_MS, () => this.master(false));
    this.record.ended(run, how);
    this.#lookLater();
    this.#tell();
  }

  /** Of the run, whatever it was going to do. */
  #forgetPlans(): void {
    for (const name of ['channel opens', 'retry', 'run']) this.#board.agenda.cancel(name);
  }

  #tell(): void {
    this.#board.signal({ kind: 'task' });
    this.#board.signal({ kind: 'queue' });
  }
}
