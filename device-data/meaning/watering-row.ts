import { HistoryDetailedEntry, type HistoryRealtimeNotify } from '../structures/history.ts';
import type { Read } from '../structures/structure.ts';

export type WateringTrigger = 'manual' | 'schedule' | 'remote' | 'unknown';
export type SkipReason = 'rain' | 'freeze' | 'other';

/** An amount as the device stores it in its history: whole minutes or whole litres. */
export type Amount =
  | { readonly unit: 'minutes'; readonly value: number }
  | { readonly unit: 'litres'; readonly value: number };

/** What a detailed row says. A run that ends by itself leaves only its `start` (device sheet, §0 and §2.2). */
export type WateringRow =
  | { readonly kind: 'start'; readonly target: Amount; readonly trigger: WateringTrigger }
  /** Stopped by hand or by an anomaly; the row does not say the unit, which the run's start does. */
  | { readonly kind: 'stop'; readonly actual: number }
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  | { readonly kind: 'statistics-reset' }
  /** Forged by a write to the statistics; not a run. */
  | { readonly kind: 'statistics-write'; readonly millilitres: number }
  /** A combination that the known firmware never writes. */
  | { readonly kind: 'unknown' };

export type DetailedEntry = Read<typeof HistoryDetailedEntry>;

const TRIGGERS: readonly WateringTrigger[] = ['manual', 'schedule', 'remote'];

export function wateringRow(entry: DetailedEntry): WateringRow {
  const { event, mode, target, actual, trigger, success, error } = entry;
  if (event === 3) {
    if (success === 3 && error === 4) return { kind: 'skip', reason: 'freeze' };
    if (success === 2 && error === 7) return { kind: 'statistics-reset' };
    if (success === 3) return { kind: 'skip', reason: 'other' };
    return { kind: 'unknown' };
  }
  if (event !== 1) return { kind: 'unknown' };
  if (success === 3) return { kind: 'skip', reason: error === 0 ? 'rain' : 'other' };
  if (success !== 0) return { kind: 'unknown' };
  if (target > 0) {
    return {
      kind: 'start',
      target: mode === 1 ? { unit: 'minutes', value: target } : { unit: 'litres', value: target },
      trigger: TRIGGERS[trigger] ?? 'unknown',
    };
  }
  // A statistics write and a stop have the same form. Whole minutes or litres of a run never exceed 1440.
  if (actual > MOST_OF_A_RUN) return { kind: 'statistics-write', millilitres: actual };
  return { kind: 'stop', actual };
}

/** Minutes of the longest run that the device accepts; litres end at 1,000. */
const MOST_OF_A_RUN = 1_440;

/** Cuts the entries of a detailed answer (behind the echoed query) into rows; undefined if a row is incomplete. */
export function readDetailedEntries(bytes: Uint8Array): readonly Uint8Array[] | undefined {
  if (bytes.byteLength % HistoryDetailedEntry.bytes !== 0) return undefined;
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength; at += HistoryDetailedEntry.bytes) {
    entries.push(bytes.slice(at, at + HistoryDetailedEntry.bytes));
  }
  return entries;
}

/** What an unasked history notification says. */
export type WateringNotice =
  | { readonly kind: 'started'; readonly channel: number; readonly uptimeS: number }
  /** `millilitres` wraps at 65,536, so it is a remainder when the run was longer. */
  | { readonly kind: 'stopped'; readonly channel: number; readonly epochS: number; readonly millilitres: number };

export function wateringNotice(notice: Read<typeof HistoryRealtimeNotify>): WateringNotice | undefined {
  if (notice.event === 0) return { kind: 'started', channel: notice.channel, uptimeS: notice.timestamp };
  if (notice.event !== 1) return undefined;
  return { kind: 'stopped', channel: notice.channel, epochS: notice.timestamp, millilitres: notice.total_ml };
}

/** Whether a message on `defc` is a notification and not a part of an answer. */
export function isWateringNotice(message: Uint8Array): boolean {
  return message.byteLength === 32 && message[1] === 0 && message[2] === 0 && message[3] === 1;
}
