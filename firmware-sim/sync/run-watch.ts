import { CurrentTask, HistoryRealtimeNotify, type Read, wateringNotice } from '@autowatering/device-data';

/** A run, or part of one, that somebody connected watched. As it is uploaded. */
export interface WatchedRun {
  readonly channel: number;
  /** When it began, or when the watching began if it was under way; milliseconds since 1970. */
  readonly startedAt: number;
  readonly sawStart: boolean;
  readonly endedAt: number;
  readonly ended: 'completed' | 'stopped' | 'interrupted' | 'lost_sight';
  /** What flowed while it was watched. */
  readonly millilitres: number;
}

type Task = Read<typeof CurrentTask>;

interface Current {
  readonly channel: number;
  readonly startUptimeS: number;
  readonly startedAt: number;
  readonly sawStart: boolean;
  readonly first: Task;
  last: Task;
  lastAt: number;
  before: { readonly progress: number; readonly at: number } | undefined;
  millilitres: number;
  isStopped: boolean;
}

const NO_CHANNEL = 0xff;
/** A run whose first report is younger was seen to start. */
const JUST_STARTED_S = 3;
/** Reports come every second: the last one before the end is short of the target by what is done in two. */
const REPORT_MS = 2_000;

/**
 * Makes sessions of what a device reports of its current task. A run that reaches its target was completed; one that ends
 * before was stopped, as the device then says, or interrupted. Pure: times come in from outside.
 */
export class RunWatch {
  readonly #ended: WatchedRun[] = [];
  #current: Current | undefined;
  #hasSeenIdle = false;

  /** Whether water flows, or a run is paused. */
  get isRunning(): boolean {
    return this.#current !== undefined;
  }

  /** The channel whose run is being watched; undefined while the device is idle. */
  get channel(): number | undefined {
    return this.#current?.channel;
  }

  /** A reading or notification of `deff`. */
  task(bytes: Uint8Array, at: number): void {
    const task = CurrentTask.read(bytes);
    if (task === undefined) return;
    const current = this.#current;
    const isSame =
      current !== undefined &&
      task.channel_id === current.channel &&
      task.start_uptime_s === current.startUptimeS &&
      task.mode === current.first.mode;
    if (current !== undefined && !isSame) this.#end(current, at);
    if (task.channel_id === NO_CHANNEL) {
      this.#hasSeenIdle = true;
      return;
    }
    if (current !== undefined && isSame) this.#goOn(current, task, at);
    else this.#begin(task, at);
  }

  /** An unasked message on `defc`. */
  notice(bytes: Uint8Array): void {
    const values = HistoryRealtimeNotify.read(bytes);
    const notice = values && wateringNotice(values);
    if (notice?.kind === 'stopped' && notice.channel === this.#current?.channel) this.#current.isStopped = true;
  }

  /** The connection has ended: what goes on now, nobody sees. */
  lost(): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    this.#ended.push({ ...sessionOf(current), endedAt: current.lastAt, ended: 'lost_sight' });
  }

  /** The sessions that have ended since the last call. */
  take(): readonly WatchedRun[] {
    return this.#ended.splice(0);
  }

  #begin(task: Task, at: number): void {
    const elapsedS = task.mode === 0 ? task.current : task.reserved;
    const sawStart = this.#hasSeenIdle || elapsedS <= JUST_STARTED_S;
    this.#current = {
      ...{ channel: task.channel_id, startUptimeS: task.start_uptime_s, sawStart, first: task, last: task },
      ...{ startedAt: sawStart ? at - elapsedS * 1000 : at, lastAt: at, before: undefined, isStopped: false },
      millilitres: sawStart ? task.total_volume_ml : 0,
    };
  }

  #goOn(current: Current, task: Task, at: number): void {
    const { last } = current;
    // A retry after no flow counts from zero again (device sheet, §2.1).
    const flowed = task.total_volume_ml - last.total_volume_ml;
    current.millilitres += flowed >= 0 ? flowed : task.total_volume_ml;
    current.before = { progress: last.current, at: current.lastAt };
    current.last = task;
    current.lastAt = at;
  }

  #end(current: Current, at: number): void {
    this.#current = undefined;
    this.#hasSeenIdle = true;
    const ended = current.isStopped ? 'stopped' : hasReachedTarget(current, at) ? 'completed' : 'interrupted';
    this.#ended.push({ ...sessionOf(current), endedAt: at, ended });
  }
}

function hasReachedTarget({ last, lastAt, before }: Current, at: number): boolean {
  const { mode, target, current } = last;
  const perMs =
    mode === 0
      ? 1 / 1000
      : before === undefined || lastAt <= before.at
        ? 0
        : Math.max(0, current - before.progress) / (lastAt - before.at);
  return current + perMs * Math.min(at - lastAt + REPORT_MS / 2, REPORT_MS) >= target;
}

function sessionOf({ channel, startedAt, sawStart, millilitres }: Current) {
  return { channel, startedAt, sawStart, millilitres };
}
