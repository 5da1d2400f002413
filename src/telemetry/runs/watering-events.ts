import {
  type Amount,
  HistoryDetailedEntry,
  type SkipReason,
  type WateringTrigger,
  wateringRow,
} from '@autowatering/device-data';
import type { Row } from '../evidence.ts';
import { groupedBy } from './grouped-by.ts';

interface Event {
  readonly channel: number;
  /** As of its row: the device's time, or the receipt if the device had lost its clock. */
  readonly at: number;
  readonly isClockLost: boolean;
  /** What the device's clock showed, in milliseconds. Only good for comparing rows of one history. */
  readonly clock: number;
}

export interface StartEvent extends Event {
  readonly target: Amount;
  readonly trigger: WateringTrigger;
}

/** `actual` counts in the unit of the start's target. */
export interface StopEvent extends Event {
  readonly actual: number;
}

export interface SkipEvent extends Event {
  readonly reason: SkipReason;
}

/** Rows whose device times can be compared with each other, in the order of those times. */
export interface History {
  readonly starts: readonly StartEvent[];
  readonly stops: readonly StopEvent[];
  readonly skips: readonly SkipEvent[];
}

const CHANNELS = 8;

/**
 * Reads watering rows. Those with a trusted time are one history. A lost clock shows the same times each day anew, so
 * that only rows of one read are a history, and even they by good luck.
 */
export function historiesOf(rows: readonly Row[]): { readonly trusted: History; readonly lost: readonly History[] } {
  const trusted = new Map<string, Row>();
  const lost: Row[] = [];
  for (const row of rows) {
    if (row.kind !== 'watering') continue;
    if (row.isClockLost) lost.push(row);
    else trusted.set(bytesKey(row), row);
  }
  const reads = groupedBy(lost, ({ at }) => at);
  return { trusted: historyOf([...trusted.values()]), lost: [...reads.values()].map(historyOf) };
}

function historyOf(rows: readonly Row[]): History {
  const starts: StartEvent[] = [];
  const stops: StopEvent[] = [];
  const skips: SkipEvent[] = [];
  const inOrder = rows
    .map((row) => ({ row, key: bytesKey(row) }))
    .sort((one, other) => one.row.at - other.row.at || compare(one.key, other.key));
  for (const { row } of inOrder) {
    const entry = HistoryDetailedEntry.read(row.bytes);
    if (entry === undefined || entry.channel_id >= CHANNELS) continue;
    const { at, isClockLost } = row;
    const event = { channel: entry.channel_id, at, isClockLost, clock: entry.epoch * 1000 };
    const meaning = wateringRow(entry);
    if (meaning.kind === 'start') starts.push({ ...event, target: meaning.target, trigger: meaning.trigger });
    if (meaning.kind === 'stop') stops.push({ ...event, actual: meaning.actual });
    if (meaning.kind === 'skip') skips.push({ ...event, reason: meaning.reason });
  }
  return { starts: byClock(starts), stops: byClock(stops), skips: byClock(skips) };
}

/** Stable, so that equal times stay in the order of their bytes. */
function byClock<E extends Event>(events: E[]): readonly E[] {
  return events.sort((one, other) => one.clock - other.clock);
}

function bytesKey({ bytes }: Row): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
