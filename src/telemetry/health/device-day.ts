import { severityOf } from '@autowatering/device-data';
import { alarmsIn } from '../insights/alarms.ts';
import { hydraulicsIn } from '../insights/hydraulics.ts';
import type { Observed } from '../insights/observed.ts';
import { visitsIn } from '../insights/visits.ts';
import type { DeviceState } from '../store/device-state.ts';

const DAY_MS = 24 * 60 * 60_000;

/** What devices went through, summed up over devices and days. */
export const HEALTH_COUNTS = [
  'device_days',
  'device_days_with_alarms',
  'device_days_locked',
  'alarms',
  'reboots',
  'days_unheard',
  'sync_failures',
] as const;
export type HealthCounts = Readonly<Record<(typeof HEALTH_COUNTS)[number], number>>;

export const NO_HEALTH: HealthCounts = {
  ...{ device_days: 0, device_days_with_alarms: 0, device_days_locked: 0, alarms: 0 },
  ...{ reboots: 0, days_unheard: 0, sync_failures: 0 },
};

export function addHealth(one: HealthCounts, other: HealthCounts): HealthCounts {
  return {
    device_days: one.device_days + other.device_days,
    device_days_with_alarms: one.device_days_with_alarms + other.device_days_with_alarms,
    device_days_locked: one.device_days_locked + other.device_days_locked,
    alarms: one.alarms + other.alarms,
    reboots: one.reboots + other.reboots,
    days_unheard: one.days_unheard + other.days_unheard,
    sync_failures: one.sync_failures + other.sync_failures,
  };
}

/**
 * What one day on which a device was heard of adds. Alarms are those of danger and worse: frost and low flow are the garden's.
 *
 * @param observed as seen from the end of the day
 * @param dayStart milliseconds since 1970
 */
export function healthOfDay(observed: Observed, state: Pick<DeviceState, 'readTo'>, dayStart: number): HealthCounts {
  const dayEnd = dayStart + DAY_MS;
  const isToday = (at: number) => at >= dayStart && at < dayEnd;
  const alarms = alarmsIn(observed.readings).filter(({ at, alarm }) => isToday(at) && isTheDevices(alarm));
  const locks = hydraulicsIn(observed.readings).filter(({ readAt }) => isToday(readAt));
  const isLocked = locks.some(({ lock, globalLock }) => lock.level === 'hard' || globalLock.level !== 'none');
  const before = visitsIn(observed).findLast((at) => at < dayStart);
  return {
    device_days: 1,
    device_days_with_alarms: alarms.length > 0 ? 1 : 0,
    device_days_locked: isLocked ? 1 : 0,
    alarms: alarms.length,
    reboots: observed.reboots.filter(isToday).length,
    days_unheard: before === undefined ? 0 : Math.floor((dayStart - before) / DAY_MS),
    sync_failures: isBehind(state, dayStart) ? 1 : 0,
  };
}

function isTheDevices(alarm: Parameters<typeof severityOf>[0]): boolean {
  const severity = severityOf(alarm);
  const isFrost = alarm.kind === 'freeze' || alarm.kind === 'freeze-unknown';
  return (severity === 'danger' || severity === 'critical') && !isFrost;
}

/** A phone was there, and yet no ring of hours was read on to the day before: the sync broke off. */
function isBehind({ readTo }: Pick<DeviceState, 'readTo'>, dayStart: number): boolean {
  const newest = Math.max(readTo.rain_hourly ?? 0, readTo.environment_hourly ?? 0);
  return newest > 0 && newest < dayStart - DAY_MS;
}
