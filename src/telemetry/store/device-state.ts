import { hasRebooted, type UptimeReading } from '@autowatering/device-data';
import type { HwId, Serial } from '../../platform/ids.ts';
import type { RowKind } from '../evidence.ts';
import { ROW_LAYOUTS } from '../rows/row-layout.ts';
import { compareBytes, type Sample } from './chunk.ts';
import { joinReceipts, type Receipt } from './receipts.ts';

export type MeasurementKind = Exclude<RowKind, 'watering'>;
export const MEASUREMENT_KINDS = [
  'rain_hourly',
  'rain_daily',
  'environment_hourly',
  'environment_daily',
] as const satisfies readonly MeasurementKind[];

/** How far a device was read, and what it last said of itself. */
export interface DeviceState {
  readonly hwId: HwId;
  readonly serial: Serial;
  /** When a phone last read anything from it, in milliseconds since 1970. */
  readonly heardAt: number;
  /** The newest hour or day of each kind up to which everything was read, in milliseconds since 1970. */
  readonly readTo: Readonly<Partial<Record<MeasurementKind, number>>>;
  /** By channel, the time of the newest watering row with a trusted time. */
  readonly newestWatering: Readonly<Record<number, number>>;
  readonly uptime: UptimeReading | null;
  /** The latest sample of each kind; of `hydraulic` and `valve` for each channel. */
  readonly latest: readonly Sample[];
  /** What came in on the last days of receipt, for the archive. */
  readonly received: readonly Receipt[];
  /** Null before the first one. */
  readonly uploads: CountedUploads | null;
}

/** How many uploads were taken in since a moment, in milliseconds since 1970: for their limit. */
export interface CountedUploads {
  readonly since: number;
  readonly count: number;
}

/** What one read of a kind of measurements reached, in milliseconds since 1970. */
export interface ReadExtent {
  readonly kind: MeasurementKind;
  /** From when on the phone had asked for rows; the first row's time if it did not say. */
  readonly from: number;
  readonly to: number;
}

/** What an upload adds to a device's state. */
export interface DeviceNews extends Pick<DeviceState, 'heardAt' | 'newestWatering' | 'uptime' | 'latest' | 'received'> {
  readonly extents: readonly ReadExtent[];
}

/** The state of a device of which nothing is known. */
export function newDeviceState(hwId: HwId, serial: Serial): DeviceState {
  return {
    ...{ hwId, serial, heardAt: 0, readTo: {}, newestWatering: {}, uptime: null, latest: [], received: [] },
    uploads: null,
  };
}

/** Joins what was known with news. News that are older than what is known change nothing. */
export function joinState(known: DeviceState, news: DeviceNews): DeviceState {
  const latest = new Map<string, Sample>();
  for (const sample of [...known.latest, ...news.latest]) {
    const key = placeOf(sample);
    const before = latest.get(key);
    if (before === undefined || isLater(sample, before)) latest.set(key, sample);
  }
  const isNewUptime = news.uptime !== null && news.uptime.phoneTimeMs >= (known.uptime?.phoneTimeMs ?? 0);
  return {
    ...known,
    heardAt: Math.max(known.heardAt, news.heardAt),
    readTo: advanced(known.readTo, news.extents),
    newestWatering: greater(known.newestWatering, news.newestWatering),
    uptime: isNewUptime ? news.uptime : known.uptime,
    latest: [...latest.values()],
    received: joinReceipts(known.received, news.received),
  };
}

/**
 * How far the device was read without a gap: a phone that reads on from there misses nothing. A read that began later than
 * where the last one ended proves nothing, unless it was the first.
 */
function advanced(readTo: DeviceState['readTo'], extents: readonly ReadExtent[]): DeviceState['readTo'] {
  const result: Partial<Record<MeasurementKind, number>> = { ...readTo };
  for (const { kind, from, to } of [...extents].sort((one, other) => one.from - other.from)) {
    const before = result[kind];
    if (before === undefined || from <= before + ROW_LAYOUTS[kind].stepMs) result[kind] = Math.max(before ?? to, to);
  }
  return result;
}

/** Whether the device restarted between two states, as far as its uptime tells. */
export function isRestartedBetween(before: DeviceState, after: DeviceState): boolean {
  return before.uptime !== null && after.uptime !== null && hasRebooted(before.uptime, after.uptime);
}

function placeOf({ kind, bytes }: Sample): string {
  return kind === 'hydraulic' || kind === 'valve' ? `${kind} ${bytes[0]}` : kind;
}

function isLater(one: Sample, other: Sample): boolean {
  return (one.readAt - other.readAt || compareBytes(one.bytes, other.bytes)) > 0;
}

function greater(one: Readonly<Record<number, number>>, other: Readonly<Record<number, number>>) {
  const result: Record<number, number> = { ...one };
  for (const [key, value] of Object.entries(other)) {
    result[Number(key)] = Math.max(value, result[Number(key)] ?? value);
  }
  return result;
}
