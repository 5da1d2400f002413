import { Schedule } from '../structures/hydraulics.ts';
import { type Rtc, TimeZoneRule } from '../structures/live-state.ts';
import type { Read } from '../structures/structure.ts';
import type { Intent, WaterAmount } from './intent.ts';
import { ALARM, CLOCK, lastOf, NO_CHANNEL, QUEUE, RESET, readingsOf, type Seen, TASK, VALVE } from './readings.ts';
import { scheduleOf, timeZoneOf } from './writes.ts';

const RUNNING = 1;
const PAUSED = 2;
const RESET_DONE = 3;
/** How far a clock that was just set may be from the carrier's. */
const CLOCK_TOLERANCE_MS = 2 * 60_000;

/**
 * Whether what was seen after the writes proves that the device does what it was told. A write's answer is no proof: the
 * device accepts what it then drops.
 *
 * @param now the time of the readings, in milliseconds since 1970
 */
export function isDone(intent: Intent, seen: readonly Seen[], now: number): boolean {
  const task = lastOf(seen, TASK);
  switch (intent.kind) {
    case 'water':
      return isRunSeen(intent.channel, intent, seen);
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
      const tasks = readingsOf(seen, TASK).map(({ channel_id: channel }) => channel);
      return tasks.includes(intent.channel) && tasks.at(-1) !== intent.channel;
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
      const reset = lastOf(seen, RESET);
      return (
        reset?.status === RESET_DONE &&
        reset.channel_id === intent.channel &&
        reset.type === (intent.what === 'channel' ? 1 : 2)
      );
    }
  }
}

/** Whether this run, or one exactly like it, was seen to flow. */
function isRunSeen(channel: number, amount: WaterAmount, seen: readonly Seen[]): boolean {
  const target =
    'minutes' in amount ? { mode: 0, target: amount.minutes * 60 } : { mode: 1, target: amount.litres * 1000 };
  const isTask = readingsOf(seen, TASK).some(
    (task) => task.channel_id === channel && task.mode === target.mode && task.target === target.target,
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
      return task?.channel_id === intent.channel ? 'write' : 'wait';
    default:
      return isDone(intent, seen, now) ? 'done' : 'write';
  }
}

export function isIdle(seen: readonly Seen[]): boolean {
  return lastOf(seen, TASK)?.channel_id === NO_CHANNEL && lastOf(seen, QUEUE)?.pending === 0;
}
