import { Alarm, type DeviceAlarm, type DeviceStatus, deviceAlarm, deviceStatus } from '@autowatering/device-data';
import type { Reading } from '../evidence.ts';
import { timeOf } from './hydraulics.ts';

/** An alarm that a phone relayed, or read from the device's one slot later. */
export interface SeenAlarm {
  /** By the device's clock, or when it was read. */
  readonly at: number;
  readonly alarm: DeviceAlarm;
}

/** Reads relayed alarms, each once: the slot keeps one until it is cleared, and every phone reads it again. */
export function alarmsIn(readings: readonly Reading[]): readonly SeenAlarm[] {
  const seen = new Map<string, SeenAlarm>();
  for (const { kind, readAt, bytes } of readings) {
    const read = kind === 'alarm' ? Alarm.read(bytes) : undefined;
    if (read === undefined) continue;
    const at = Math.min(readAt, timeOf(read.epoch, readAt) ?? readAt);
    const key = `${read.alarm_code} ${read.alarm_data} ${read.epoch}`;
    if (!seen.has(key)) seen.set(key, { at, alarm: deviceAlarm(read) });
  }
  return [...seen.values()].filter(({ alarm }) => alarm.kind !== 'none').sort((one, other) => one.at - other.at);
}

/** Samples of the overall status. */
export function statusesIn(
  readings: readonly Reading[],
): readonly { readonly at: number; readonly status: DeviceStatus }[] {
  return readings.flatMap(({ kind, readAt, bytes }) => {
    const [code] = bytes;
    return kind === 'status' && code !== undefined ? [{ at: readAt, status: deviceStatus(code) }] : [];
  });
}
