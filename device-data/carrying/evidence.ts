import { type ResetControl, Schedule } from '../structures/hydraulics.ts';
import { type CurrentTask, type Rtc, TimeZoneRule } from '../structures/live-state.ts';
import type { Read } from '../structures/structure.ts';
import type { Intent } from './intent.ts';
import { ALARM, CLOCK, lastOf, NO_CHANNEL, QUEUE, RESET, readingsOf, type Seen, TASK, VALVE } from './readings.ts';
import { scheduleOf, timeZoneOf } from './writes.ts';

const RUNNING = 1;
const PAUSED = 2;
/** Of `de21`: the code is asked for, the reset runs, it is done. */
const RESET_UNDER_WAY = [1, 2];
const RESET_DONE = 3;
/** How far a clock that was just set may be from the carrier's. */
const CLOCK_TOLERANCE_MS = 2 * 60_000;
/** A reading may be ten seconds old, and service and carrier may disagree about the time a little. */
export const TIMES_APART_MS = 30_000;
/** A schedule's run may begin so long before its time. */
const SKIP_BEFORE_MS = 2 * 60_000;

/**
 * Whether what was seen after the writes proves that the device does what it was told. A write's answer is no proof: the
 * device accepts what it then drops.
 *
 * @param now the time of the readings, in milliseconds since 1970
 * @param from a run that began before is another one; left out when the device was idle just before the write
 */
export function isDone(intent: Intent, seen: readonly Seen[], now: number, from?: number): boolean {
  const task = lastOf(seen, TASK);
  switch (intent.kind) {
    case 'water':
      return isRunSeen(intent, seen, (run) => from === undefined || beganAt(run, now) >= from - TIMES_APART_MS);
    case 'stop':
      return task?.channel_id === NO_CHANNEL && lastOf(seen, QUEUE)?.pending === 0;
    case 'pause':
      return task !== undefined && task.channel_id !== NO_CHANNEL && task.status === PAUSED;
    case 'resume':
    case 'start_next':
      return task !== undefined && task.channel_id !== NO_CHANNEL && task.status === RUNNING;
    case 'clear_queue':
      return lastOf(seen, QUEUE)?.pending === 0;
    case 'skip_next': {
      const tasks = readingsOf(seen, TASK);
      return tasks.some((one) => isRunToSkip(intent, one, now)) && task?.channel_id !== intent.channel;
    }
    case 'set_schedule':
      return isSame(bytesOf(seen, 'def5'), Schedule.write(scheduleOf(intent.channel, intent.schedule)));
    case 'set_time_zone':
      return isRuleSet(intent, seen);
    case 'set_clock': {
      const clock = lastOf(seen, CLOCK);
      return clock !== undefined && Math.abs(utcOf(clock) - now) <= CLOCK_TOLERANCE_MS && isRuleSet(intent, seen);
    }
    case 'clear_alarm':
      return lastOf(seen, ALARM)?.alarm_code === 0;
    case 'reset_channel': {
      // The device goes on saying that a reset is done, also an earlier one: this one was seen to go on.
      const resets = readingsOf(seen, RESET);
      const isOurs = (reset: Reset) => isResetOf(intent, reset);
      const isUnderWay = resets.some((reset) => isOurs(reset) && RESET_UNDER_WAY.includes(reset.status));
      const last = resets.at(-1);
      return isUnderWay && last !== undefined && isOurs(last) && last.status === RESET_DONE;
    }
  }
}

type Task = Read<typeof CurrentTask>;
type Reset = Read<typeof ResetControl>;
type SkipIntent = Extract<Intent, { kind: 'skip_next' }>;
type ResetIntent = Extract<Intent, { kind: 'reset_channel' }>;

/** When a run that is seen now began at the earliest: a pause does not count. */
function beganAt({ mode, current, reserved }: Task, now: number): number {
  return now - (mode === 0 ? current : reserved) * 1000;
}

/** A run of this channel that began long before is somebody's, and not the schedule's. */
function isRunToSkip({ channel, at }: SkipIntent, task: Task, now: number): boolean {
  return task.channel_id === channel && beganAt(task, now) >= at - SKIP_BEFORE_MS;
}

function isResetOf({ channel, what }: ResetIntent, { channel_id: of, type }: Reset): boolean {
  return of === channel && type === (what === 'channel' ? 1 : 2);
}

/** Whether the device shows such a reset, under way or over: it may be this one, or an earlier one. */
export function isResetShown(intent: ResetIntent, seen: readonly Seen[]): boolean {
  const reset = lastOf(seen, RESET);
  return reset !== undefined && isResetOf(intent, reset) && reset.status > 0 && reset.status <= RESET_DONE;
}

/** Whether this run, or one exactly like it, was seen to flow. */
function isRunSeen(
  intent: Extract<Intent, { kind: 'water' }>,
  seen: readonly Seen[],
  isOurs: (task: Task) => boolean,
): boolean {
  const { channel } = intent;
  const target =
    'minutes' in intent ? { mode: 0, target: intent.minutes * 60 } : { mode: 1, target: intent.litres * 1000 };
  const isTask = readingsOf(seen, TASK).some(
    (task) => task.channel_id === channel && task.mode === target.mode && task.target === target.target && isOurs(task),
  );
  // A notification of the valve; the same bytes with a value are what was written.
  const isOpen = readingsOf(seen, VALVE).some(
    (valve) => valve.channel_id === channel && valve.task_type === 1 && valve.value === 0,
  );
  return isTask || isOpen;
}

function isRuleSet({ time_zone }: Extract<Intent, { kind: 'set_clock' | 'set_time_zone' }>, seen: readonly Seen[]) {
  return isSame(bytesOf(seen, '6793'), TimeZoneRule.write(timeZoneOf(time_zone)));
}

function bytesOf(seen: readonly Seen[], characteristic: Seen['characteristic']): Uint8Array | undefined {
  return seen.findLast((one) => one.characteristic === characteristic)?.bytes;
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}

/** The time that the device's clock shows, in milliseconds since 1970. */
export function utcOf(clock: Read<typeof Rtc>): number {
  const { year_minus_2000: year, month, day, hour, minute, second, utc_offset_min: offset } = clock;
  return Date.UTC(2000 + year, month - 1, day, hour, minute, second) - offset * 60_000;
}

/** What a device's present state means for a command that is about to be written. */
export type Readiness = 'write' | 'wait' | 'done';

/**
 * Whether to write now. A run is written to an idle device only, so that evidence comes at once or never, and so that a
 * write whose answer was lost can be looked for. `done`: it is as wanted already.
 */
export function readiness(intent: Intent, seen: readonly Seen[], now: number): Readiness {
  const task = lastOf(seen, TASK);
  switch (intent.kind) {
    case 'water':
      return isIdle(seen) ? 'write' : 'wait';
    case 'skip_next':
      return task !== undefined && isRunToSkip(intent, task, now) ? 'write' : 'wait';
    case 'reset_channel':
      return 'write';
    default:
      return isDone(intent, seen, now) ? 'done' : 'write';
  }
}

export function isIdle(seen: readonly Seen[]): boolean {
  return lastOf(seen, TASK)?.channel_id === NO_CHANNEL && lastOf(seen, QUEUE)?.pending === 0;
}
