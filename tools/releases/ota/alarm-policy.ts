import { type Command, InvalidArgumentError } from 'commander';

export interface AlarmPolicyOptions {
  readonly haltAlarmRatio?: number;
  readonly haltAlarmDays?: number;
}

/** Days of devices under the release, before a ratio of alarms says anything. */
const ENOUGH_DAYS = 100;

/** Adds the options for a release that halts itself by its devices' alarms. */
export function alarmPolicyOptions(command: Command): Command {
  return command
    .option('--halt-alarm-ratio <times>', 'how many times the alarms of other versions halt it; 0 turns it off', ratio)
    .option('--halt-alarm-days <count>', `days of devices before alarms can halt it (default: ${ENOUGH_DAYS})`, days);
}

/** The field of the request; none if the options say nothing. The API checks the values. */
export function alarmPolicyFields({ haltAlarmRatio, haltAlarmDays = ENOUGH_DAYS }: AlarmPolicyOptions): object {
  if (haltAlarmRatio === undefined) return {};
  return {
    alarm_policy: haltAlarmRatio === 0 ? null : { min_device_days: haltAlarmDays, max_ratio: haltAlarmRatio },
  };
}

function ratio(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && (value === 0 || (value > 1 && Number.isFinite(value)))) return value;
  throw new InvalidArgumentError('a number above 1, or 0.');
}

function days(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('a whole number of days, at least 1.');
}
