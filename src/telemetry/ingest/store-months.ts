import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { ZoneTimeline } from '../rollups/local-day.ts';
import { rollUpMonth } from '../rollups/roll-up-month.ts';
import {
  LOST_RECORD,
  type Month,
  monthAfter,
  monthOf,
  rollUpRecord,
  rowsRecord,
  startOfMonth,
} from '../rows/periods.ts';
import { RAW_DAYS } from '../rows/read-rows.ts';
import { DAY_MS } from '../rows/row-layout.ts';
import { EVIDENCE_REACH_MS } from '../runs/runs.ts';
import { type Chunk, compareBytes, EMPTY_CHUNK } from '../store/chunk.ts';
import { evidenceOf } from '../store/evidence-of.ts';
import type { GardenItems, Revised } from '../store/garden-items.ts';
import type { Found, Look } from '../store/lookup.ts';
import { type Merged, mergeParts } from '../store/merge.ts';
import { chunkItem, readChunkItem, readRollUpItem, rollUpItem, type StoredChunk } from '../store/stored-items.ts';
import type { Parts } from './batch.ts';

/** How many months a transaction takes in at most: with their neighbours and roll-ups they stay below its 100 items. */
export const MONTHS_TOGETHER = 24;

/** The evidence of some months, with everything around it that was read already. */
export interface MonthsWrite {
  readonly partition: string;
  readonly months: ReadonlyMap<Month, Parts>;
  readonly lost: Parts;
  readonly zones: ZoneTimeline;
  readonly now: number;
}

/** The records that a write of these months most likely needs. */
export function recordsAround(months: Iterable<Month>): readonly string[] {
  const records = new Set([LOST_RECORD]);
  for (const month of months) {
    for (const by of [-1, 0, 1]) records.add(rowsRecord(monthAfter(month, by)));
    records.add(rollUpRecord(month));
  }
  return [...records];
}

/**
 * Adds evidence to some months and counts anew what it touches, all in one transaction. A month's roll-up rises in revision
 * with any change to its own evidence and to that of the month after, within reach: two writers on both sides of a
 * month's edge both write the earlier one's roll-up, and can't count past each other.
 *
 * @param look finds what is stored
 */
export async function storeMonths(
  { partition, months, lost, zones, now }: MonthsWrite,
  look: Look,
  items: GardenItems,
): Promise<readonly Merged[] | typeof OVERTAKEN> {
  const around = await look(recordsAround(months.keys()));
  const stored = new Map<string, StoredChunk>();
  const chunkOf = (record: string, from: Found): StoredChunk => {
    const known = stored.get(record) ?? readChunkItem(from.get(record));
    stored.set(record, known);
    return known;
  };
  const merged = new Map<string, Merged>();
  for (const [month, parts] of months) {
    merged.set(rowsRecord(month), mergeParts(chunkOf(rowsRecord(month), around).chunk, parts));
  }
  if (lost.length > 0) merged.set(LOST_RECORD, mergeParts(recent(chunkOf(LOST_RECORD, around).chunk, now), lost));
  const changed = [...merged].filter(([, { isChanged }]) => isChanged);
  if (changed.length === 0) return [...merged.values()];

  const times = changed.flatMap(([, { changedAt }]) => changedAt);
  const guarded = monthsOf(times, -EVIDENCE_REACH_MS, 0);
  const touched = new Set([...guarded, ...monthsOf(times, EVIDENCE_REACH_MS)]);
  const more = await look(recordsAround(touched));
  const isChanged = (record: string): boolean => merged.get(record)?.isChanged === true;
  const current = (record: string): Chunk => merged.get(record)?.chunk ?? chunkOf(record, more).chunk;
  const writes: Revised[] = changed.map(([record, { chunk }]) =>
    chunkItem(partition, record, chunk, chunkOf(record, around).revision),
  );
  for (const month of touched) {
    const three = [-1, 0, 1].map((by) => monthAfter(month, by));
    const chunks = three.map((one) => current(rowsRecord(one)));
    const before = readRollUpItem(more.get(rollUpRecord(month)));
    const read = three.map((one) => chunkOf(rowsRecord(one), more).revision);
    // Items of one read are not of one moment: evidence that is older than what was counted from it is read again.
    if (before.countedFrom.some((revision, index) => revision > (read[index] ?? 0) && isKept(three[index], now))) {
      return OVERTAKEN;
    }
    const evidence = evidenceOf(
      [...chunks, current(LOST_RECORD)],
      startOfMonth(month) - EVIDENCE_REACH_MS,
      startOfMonth(monthAfter(month)) + EVIDENCE_REACH_MS,
    );
    const counted = rollUpMonth(evidence, zones, month);
    const known = before.data ?? rollUpMonth(NO_EVIDENCE, zones, month);
    if (guarded.has(month) || compareBytes(counted, known) !== 0) {
      const countedFrom = three.map((one, index) => (read[index] ?? 0) + (isChanged(rowsRecord(one)) ? 1 : 0));
      writes.push(rollUpItem(partition, month, counted, { revision: before.revision, countedFrom }));
    }
  }
  return (await items.writeTogether(writes)) ? [...merged.values()] : OVERTAKEN;
}

const NO_EVIDENCE = evidenceOf([EMPTY_CHUNK], 0, 0);

/** Whether a month's evidence, if there was any, can't have expired yet. */
function isKept(month: Month | undefined, now: number): boolean {
  return month !== undefined && startOfMonth(monthAfter(month)) > now - RAW_DAYS * DAY_MS;
}

/** The months of times that are so much later. */
function monthsOf(times: readonly number[], ...later: readonly number[]): ReadonlySet<Month> {
  return new Set(times.flatMap((time) => later.map((by) => monthOf(time + by))));
}

function recent(chunk: Chunk, now: number): Chunk {
  return { ...chunk, rows: chunk.rows.filter(({ readAt }) => readAt >= now - RAW_DAYS * DAY_MS) };
}
