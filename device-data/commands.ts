import { ResetControl, Schedule } from './structures/hydraulics.ts';
import { Rtc, TaskQueue, TimeZoneRule, ValveControl } from './structures/live-state.ts';
import type { Read } from './structures/structure.ts';

/** What to write, and where: the last four hex digits of the characteristic's UUID. */
export interface DeviceWrite {
  readonly characteristic: 'def1' | 'def5' | 'def7' | 'def9' | 'defa' | 'de21' | 'deff' | '6793';
  readonly bytes: Uint8Array;
}

export const CHANNELS = 8;
export const MOST_MINUTES = 1_440;
export const MOST_LITRES = 1_000;

/** Starts a run. Accepting the write does not mean that water flows. Not idempotent: a second write queues a second run. */
export function startRun(
  channel: number,
  amount: { readonly minutes: number } | { readonly litres: number },
): DeviceWrite {
  assertChannel(channel);
  const [taskType, value, most] =
    'minutes' in amount ? [0, amount.minutes, MOST_MINUTES] : [1, amount.litres, MOST_LITRES];
  if (!Number.isInteger(value) || value < 1 || value > most) {
    throw new RangeError(`a run takes 1 to ${most} ${'minutes' in amount ? 'minutes' : 'litres'}, not ${value}`);
  }
  return { characteristic: 'def1', bytes: ValveControl.write({ channel_id: channel, task_type: taskType, value }) };
}

const RUN_COMMANDS = { stop: 0, pause: 1, resume: 2 } as const;

/** Acts on the running task; the device answers ATT error 0x03 if there is none. */
export function runCommand(command: keyof typeof RUN_COMMANDS): DeviceWrite {
  return { characteristic: 'deff', bytes: Uint8Array.of(RUN_COMMANDS[command]) };
}

const QUEUE_COMMANDS = { 'start-next': 1, pause: 2, resume: 3, cancel: 4, clear: 5 } as const;

/** Acts on the queue. The write succeeds; an error comes by notification (task type 255). */
export function queueCommand(command: keyof typeof QUEUE_COMMANDS): DeviceWrite {
  const bytes = TaskQueue.write({
    pending: 0,
    completed: 0,
    current_channel: 0,
    task_type: 0,
    value: 0,
    command: QUEUE_COMMANDS[command],
    task_id_to_delete: 0,
    active_task_id: 0,
  });
  return { characteristic: 'def7', bytes };
}

export function setSchedule(schedule: Read<typeof Schedule>): DeviceWrite {
  assertChannel(schedule.channel_id);
  const { type, hour, minute, mode, value, enabled, solar_offset_min: offset } = schedule;
  if (type > 2 || hour > 23 || minute > 59 || mode > 1 || Math.abs(offset) > 120) {
    throw new RangeError('the schedule has a field out of range');
  }
  if (enabled === 1 && type !== 2 && value === 0) throw new RangeError('an enabled schedule needs an amount');
  return { characteristic: 'def5', bytes: Schedule.write(schedule) };
}

/**
 * Sets the clock to a local time. **This switches the device's DST rules off** and replaces its base offset: follow it by
 * `setTimeZone`, or the device is an hour off after the next change of clocks.
 */
export function setClock(local: Date, offsetMinutes: number, isDst: boolean): DeviceWrite {
  const shown = new Date(local.getTime() + offsetMinutes * 60_000);
  const bytes = Rtc.write({
    year_minus_2000: shown.getUTCFullYear() - 2_000,
    month: shown.getUTCMonth() + 1,
    day: shown.getUTCDate(),
    hour: shown.getUTCHours(),
    minute: shown.getUTCMinutes(),
    second: shown.getUTCSeconds(),
    day_of_week: shown.getUTCDay(),
    utc_offset_min: offsetMinutes,
    dst_active: isDst ? 1 : 0,
    reserved: new Uint8Array(6),
  });
  return { characteristic: 'def9', bytes };
}

export function setTimeZone(rule: Read<typeof TimeZoneRule>): DeviceWrite {
  if (rule.utc_offset_min < -720 || rule.utc_offset_min > 840 || Math.abs(rule.dst_offset_min) > 120) {
    throw new RangeError('the time zone has an offset out of range');
  }
  return { characteristic: '6793', bytes: TimeZoneRule.write(rule) };
}

/** Clears the shown alarm. Locks stay, although the device then reports status 0. */
export function clearAlarms(): DeviceWrite {
  return { characteristic: 'defa', bytes: Uint8Array.of(0) };
}

/**
 * One of the two writes of a channel's reset: first with code 0, then with the code that was read back (valid for 300 s).
 * The resets of everything are left out on purpose: a cloud must not be able to wipe a device.
 */
export function resetChannel(channel: number, what: 'channel' | 'schedule', code = 0): DeviceWrite {
  assertChannel(channel);
  const bytes = ResetControl.write({
    type: what === 'channel' ? 1 : 2,
    channel_id: channel,
    code,
    status: 0,
    timestamp: 0,
    progress: new Uint8Array(5),
  });
  return { characteristic: 'de21', bytes };
}

function assertChannel(channel: number): void {
  if (!Number.isInteger(channel) || channel < 0 || channel >= CHANNELS) {
    throw new RangeError(`there is no channel ${channel}: they are 0 to ${CHANNELS - 1}`);
  }
}
