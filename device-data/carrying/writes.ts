import {
  clearAlarms,
  type DeviceWrite,
  queueCommand,
  resetChannel,
  runCommand,
  setClock,
  setSchedule,
  setTimeZone,
  startRun,
} from '../commands.ts';
import type { Schedule } from '../structures/hydraulics.ts';
import type { TimeZoneRule } from '../structures/live-state.ts';
import type { Read } from '../structures/structure.ts';
import type { Intent, ScheduleIntent, TimeZoneIntent } from './intent.ts';

/** Known only when the command is carried. */
export interface AtTheDevice {
  /** The carrier's time, in milliseconds since 1970. */
  readonly now: number;
  /** Of a reset: the code that the device gave after the first write. */
  readonly resetCode?: number;
}

/**
 * The writes of a command, in order. A refused one ends the command, except the queue's: stopping clears it first, so
 * that no next run starts, and an empty queue only says so by notification.
 *
 * A reset needs a code: the first write asks for it, the carrier reads `de21`, and `writesOf` with the code returns the
 * second.
 *
 * @throws RangeError when a value is out of range
 */
export function writesOf(intent: Intent, { now, resetCode }: AtTheDevice): readonly DeviceWrite[] {
  switch (intent.kind) {
    case 'water':
      return [startRun(intent.channel, 'minutes' in intent ? { minutes: intent.minutes } : { litres: intent.litres })];
    case 'stop':
      return [queueCommand('clear'), runCommand('stop')];
    case 'skip_next':
      return [runCommand('stop')];
    case 'pause':
    case 'resume':
      return [runCommand(intent.kind)];
    case 'start_next':
      return [queueCommand('start-next')];
    case 'clear_queue':
      return [queueCommand('clear')];
    case 'set_schedule':
      return [setSchedule(scheduleOf(intent.channel, intent.schedule))];
    case 'set_clock':
      // Setting the clock switches the rule of summer time off, so the rule always follows. Until then the device counts in
      // standard time, whatever the season: its UTC is right in both.
      return [
        setClock(new Date(now), intent.time_zone.utc_offset_minutes, false),
        setTimeZone(timeZoneOf(intent.time_zone)),
      ];
    case 'set_time_zone':
      return [setTimeZone(timeZoneOf(intent.time_zone))];
    case 'clear_alarm':
      return [clearAlarms()];
    case 'reset_channel':
      return [resetChannel(intent.channel, intent.what, resetCode)];
  }
}

/** The device's schedule for an intent. An automatic one has no amount of its own. */
export function scheduleOf(channel: number, schedule: ScheduleIntent): Read<typeof Schedule> {
  const { repeats, days = 0, interval_days: interval = 0, hour, minute, amount, enabled, solar } = schedule;
  const [mode, value] = 'minutes' in amount ? [0, amount.minutes] : [1, amount.litres];
  return {
    channel_id: channel,
    type: { weekly: 0, every_n_days: 1, automatic: 2 }[repeats],
    days_or_interval: repeats === 'weekly' ? days : repeats === 'every_n_days' ? interval : 0,
    ...{ hour, minute, mode, value },
    enabled: enabled ? 1 : 0,
    solar: solar === undefined ? 0 : 1,
    solar_event: solar?.event === 'sunrise' ? 1 : 0,
    solar_offset_min: solar?.offset_minutes ?? 0,
  };
}

/** The device's rule for a time zone. */
export function timeZoneOf({ utc_offset_minutes, dst }: TimeZoneIntent): Read<typeof TimeZoneRule> {
  return {
    utc_offset_min: utc_offset_minutes,
    dst_enabled: dst === null ? 0 : 1,
    start_month: dst?.start.month ?? 0,
    start_week: dst?.start.week ?? 0,
    start_dow: dst?.start.day ?? 0,
    end_month: dst?.end.month ?? 0,
    end_week: dst?.end.week ?? 0,
    end_dow: dst?.end.day ?? 0,
    dst_offset_min: dst?.offset_minutes ?? 0,
  };
}
