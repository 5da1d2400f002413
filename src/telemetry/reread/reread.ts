import { READER_VERSION } from '@autowatering/device-data';
import type { DocumentClient } from '../../platform/aws/documents.ts';
import { type HwId, isHwId, isUid, type Randomness, type Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import { rollUpMonth } from '../rollups/roll-up-month.ts';
import {
  isMonth,
  LOST_RECORD,
  type Month,
  monthAfter,
  ROLL_UPS,
  ROWS,
  rollUpRecord,
  rowsRecord,
  startOfMonth,
} from '../rows/periods.ts';
import { RAW_DAYS } from '../rows/read-rows.ts';
import { DAY_MS } from '../rows/row-layout.ts';
import { EVIDENCE_REACH_MS } from '../runs/runs.ts';
import { EMPTY_CHUNK } from '../store/chunk.ts';
import { evidenceOf } from '../store/evidence-of.ts';
import { createGardenItems, type Revised } from '../store/garden-items.ts';
import { chunkItem, readChunkItem, readRollUpItem, readSettingsItem, rollUpItem } from '../store/stored-items.ts';
import { devicePartition, settingsKey } from '../table-keys.ts';

/** The garden table, as an operator's tool reaches it. */
export interface RereadPlace {
  readonly garden: string;
  readonly documents: DocumentClient;
  readonly randomness: Pick<Randomness, 'fraction'>;
  readonly now: () => number;
}

export interface Reread {
  /** Items that were looked at. */
  readonly items: number;
  readonly changed: number;
  readonly months: number;
}

/** Before and after every record. */
const [FIRST, LAST] = [' ', '\uffff'];

/**
 * Reads a device's stored rows again with the present reader: unpacks each of its items that an older one wrote, checks and
 * packs it anew, and counts its months from their evidence. What was read again is marked with the reader's version, so it
 * can be stopped anywhere and repeated; uploads go on meanwhile.
 *
 * @param isAll also what the present reader wrote
 */
export function createReread({ garden, documents, randomness, now }: RereadPlace) {
  const whileOvertaken = createWhileOvertaken(randomness);
  const items = createGardenItems({
    config: { tables: { garden } },
    documents: async () => documents,
    randomness,
  });

  return async (account: string, device: string, isAll: boolean): Promise<Reread> => {
    const [uid, hwId] = idsOf(account, device);
    const partition = devicePartition(uid, hwId);
    return whileOvertaken('A device’s rereading', async () => {
      const [[settings], found] = await Promise.all([
        items.read([settingsKey(uid)], { isConsistent: true }),
        items.inRange(partition, FIRST, LAST, { isConsistent: true }),
      ]);
      const zones = readSettingsItem(settings).timeline ?? [];
      const byRecord = new Map(found.map((item) => [String(item['record']), item]));
      const readStored = (record: string) => {
        try {
          return readChunkItem(byRecord.get(record));
        } catch (error) {
          throw new Error(`The item ${record} of device ${hwId} can’t be read`, { cause: error });
        }
      };
      const isDue = (record: string) =>
        byRecord.has(record) && (isAll || byRecord.get(record)?.['reader_version'] !== READER_VERSION);
      const bumped = (record: string): Revised => {
        const { chunk, revision } = readStored(record);
        return chunkItem(partition, record, chunk, revision);
      };
      const counts = { items: found.length, changed: 0, months: 0 };
      for (const record of byRecord.keys()) {
        if (monthIn(record) !== undefined || !isDue(record)) continue;
        // Overtaken by an upload, which wrote it with its own, present reader.
        if (await items.write(bumped(record))) counts.changed += 1;
      }
      const written = new Set<string>();
      const revisionOf = (record: string) => readStored(record).revision + Number(written.has(record));
      const chunkOf = (record: string) => (byRecord.has(record) ? readStored(record).chunk : EMPTY_CHUNK);
      for (const month of new Set([...byRecord.keys()].flatMap((record) => monthIn(record) ?? []))) {
        const [rows, rolledUp] = [rowsRecord(month), rollUpRecord(month)];
        if (!byRecord.has(rows) || (!isDue(rows) && !isDue(rolledUp)) || !isWhole(month, now())) continue;
        const evidence = evidenceOf(
          [...[-1, 0, 1].map((by) => chunkOf(rowsRecord(monthAfter(month, by)))), chunkOf(LOST_RECORD)],
          startOfMonth(month) - EVIDENCE_REACH_MS,
          startOfMonth(monthAfter(month)) + EVIDENCE_REACH_MS,
        );
        const { revision } = readRollUpItem(byRecord.get(rolledUp));
        const countedFrom = [-1, 0, 1].map((by) => revisionOf(rowsRecord(monthAfter(month, by))) + (by === 0 ? 1 : 0));
        const counted = rollUpItem(partition, month, rollUpMonth(evidence, zones, month), { revision, countedFrom });
        // Evidence that changes what a month counts raises its roll-up's revision, also from a neighbouring month.
        const writes = [bumped(rows), counted];
        if (!(await items.writeTogether(writes))) return OVERTAKEN;
        written.add(rows);
        counts.changed += writes.length;
        counts.months += 1;
      }
      return counts;
    });
  };
}

function idsOf(account: string, device: string): readonly [Uid, HwId] {
  if (!isUid(account) || !isHwId(device)) throw new Error('an item of the garden is of no device');
  return [account, device];
}

function monthIn(record: string): Month | undefined {
  const prefix = [ROWS, ROLL_UPS].find((one) => record.startsWith(one));
  const month = prefix === undefined ? undefined : record.slice(prefix.length);
  return month !== undefined && isMonth(month) ? month : undefined;
}

/** Whether all evidence of a month is still there: of older ones some has expired, and their roll-ups stay. */
function isWhole(month: Month, now: number): boolean {
  return startOfMonth(month) > now - RAW_DAYS * DAY_MS;
}
