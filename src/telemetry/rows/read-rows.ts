import { EnvironmentDaily, EnvironmentHourly, HistoryDetailedEntry, isTrustedEpoch } from '@autowatering/device-data';
import type { Row, RowKind } from '../evidence.ts';
import { DAY_MS, dayOfDateNumber, ROW_LAYOUTS } from './row-layout.ts';

/** Why a row can't be what a device says. */
export const ROW_FAULTS = ['empty', 'channel', 'temperature', 'humidity', 'date', 'future', 'too_old'] as const;
export type RowFault = (typeof ROW_FAULTS)[number];

/** Raw rows are kept for this long, and no longer taken in afterwards: what they belong to is gone. */
export const RAW_DAYS = 400;
const CHANNELS = 8;
/** What the sensor can measure, with room for its errors: −40 to 85 °C. */
const COLDEST_X100 = -5_000;
const HOTTEST_X100 = 9_500;
const MOST_HUMID_X100 = 10_000;
/** A date is the device's local one, which may be ahead of UTC. */
const DATE_AHEAD_MS = DAY_MS;

/** One read of one ring, as a phone made it. */
export interface RowsRead {
  readonly kind: RowKind;
  /** Of which the phone asked for the watering rows. */
  readonly channel: number | undefined;
  /** When it was read, in milliseconds since 1970, in whole seconds. */
  readonly readAt: number;
  /** Rows one after the other. */
  readonly bytes: Uint8Array;
}

export interface ReadRows {
  readonly rows: readonly Row[];
  readonly refused: readonly { readonly row: number; readonly fault: RowFault }[];
}

/**
 * Cuts a read into rows and refuses those that can't be. Rows of a device that has lost its clock are kept under the time
 * they were read at.
 *
 * @returns undefined if the bytes are no whole number of rows: firmware of another layout
 */
export function readRows({ kind, channel, readAt, bytes }: RowsRead): ReadRows | undefined {
  const layout = ROW_LAYOUTS[kind];
  if (bytes.byteLength % layout.bytes !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows: Row[] = [];
  const refused: { row: number; fault: RowFault }[] = [];
  for (let at = 0, row = 0; at < bytes.byteLength; at += layout.bytes, row += 1) {
    const own = bytes.subarray(at, at + layout.bytes);
    const time = isBlank(own) ? 'empty' : (faultIn(kind, view, at, channel) ?? timeOf(kind, view, at, readAt));
    if (typeof time === 'string') refused.push({ row, fault: time });
    else rows.push({ kind, ...time, readAt, bytes: own });
  }
  return { rows, refused };
}

function isBlank(bytes: Uint8Array): boolean {
  const [first] = bytes;
  return (first === 0 || first === 0xff) && bytes.every((byte) => byte === first);
}

const CHANNEL = offsetIn(HistoryDetailedEntry, 'channel_id');
const HOURLY_TEMPERATURES = offsetIn(EnvironmentHourly, 't_avg_x100');
const HOURLY_HUMIDITY = offsetIn(EnvironmentHourly, 'h_avg_x100');
const DAILY_TEMPERATURES = offsetIn(EnvironmentDaily, 't_avg_x100');
const DAILY_HUMIDITIES = offsetIn(EnvironmentDaily, 'h_avg_x100');

function offsetIn<K extends string>(
  { fields }: { readonly fields: Readonly<Record<K, { readonly bytes: number }>> },
  wanted: NoInfer<K>,
): number {
  let at = 0;
  for (const [name, { bytes }] of Object.entries<{ readonly bytes: number }>(fields)) {
    if (name === wanted) return at;
    at += bytes;
  }
  throw new Error(`there is no field ${wanted}`);
}

function faultIn(kind: RowKind, view: DataView, at: number, asked: number | undefined): RowFault | undefined {
  if (kind === 'watering') {
    const channel = view.getUint8(at + CHANNEL);
    return channel >= CHANNELS || (asked !== undefined && channel !== asked) ? 'channel' : undefined;
  }
  if (kind === 'environment_hourly') return weatherFault(view, at + HOURLY_TEMPERATURES, at + HOURLY_HUMIDITY, 1);
  if (kind === 'environment_daily') return weatherFault(view, at + DAILY_TEMPERATURES, at + DAILY_HUMIDITIES, 3);
  return undefined;
}

/** Average, minimum and maximum stand one after the other. */
function weatherFault(view: DataView, temperatures: number, humidities: number, counted: 1 | 3): RowFault | undefined {
  for (let index = 0; index < 3; index += 1) {
    const celsius = view.getInt16(temperatures + index * 2, true);
    if (celsius < COLDEST_X100 || celsius > HOTTEST_X100) return 'temperature';
  }
  for (let index = 0; index < counted; index += 1) {
    if (view.getUint16(humidities + index * 2, true) > MOST_HUMID_X100) return 'humidity';
  }
  return undefined;
}

type Time = Pick<Row, 'at' | 'isClockLost'>;

function timeOf(kind: RowKind, view: DataView, at: number, readAt: number): Time | RowFault {
  const number = view.getUint32(at, true);
  const { stepMs } = ROW_LAYOUTS[kind];
  if (kind === 'environment_daily') {
    const day = dayOfDateNumber(number);
    if (day === undefined) return 'date';
    return trusted(kind, day / 1_000, day, readAt + DATE_AHEAD_MS, readAt);
  }
  return trusted(kind, number, number * 1_000 - ((number * 1_000) % stepMs), readAt, readAt);
}

function trusted(kind: RowKind, epochS: number, at: number, latest: number, readAt: number): Time | RowFault {
  if (isTrustedEpoch(epochS, latest)) {
    const isKeptForever = kind === 'rain_daily' || kind === 'environment_daily';
    return !isKeptForever && at < readAt - RAW_DAYS * DAY_MS ? 'too_old' : { at, isClockLost: false };
  }
  return epochS * 1_000 > latest ? 'future' : { at: readAt, isClockLost: true };
}
