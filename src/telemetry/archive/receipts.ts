import pMap from 'p-map';
import { ttlSeconds } from '../../platform/clock.ts';
import { type HwId, isHwId, isUid, type Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, type Shape, ShapeError, text } from '../../platform/shapes.ts';
import { dayOf, startOfDay } from '../rows/periods.ts';
import { DAY_MS } from '../rows/row-layout.ts';
import { type GardenKey, receiptKey, receiptPartition, receiptPrefix, shardOf } from '../table-keys.ts';

/** What a device told on one day, as far as one must know to find it again. */
export interface Receipt {
  readonly uid: Uid;
  readonly hwId: HwId;
  /** Records that its rows and sessions are in. */
  readonly records: ReadonlySet<string>;
  /** Days on which they were read from the device, as days since 1970: not always the day on which they came in. */
  readonly readOn: ReadonlySet<number>;
}

/** An archive that falls behind by more than this misses days, and an alarm has rung since the second. */
export const INDEX_DAYS = 21;
const SCHEMA = 1;
const AT_ONCE = 10;

const setOf =
  <T>(isMember: (one: unknown) => one is T): Shape<ReadonlySet<T>> =>
  (value, at) => {
    if (value === undefined) return new Set();
    if (value instanceof Set) {
      const members = [...value];
      if (members.every(isMember)) return new Set(members);
    }
    throw new ShapeError([{ place: at ?? '', expected: 'a set' }]);
  };

const readKey = fields({ partition: text, record: text });
const readStored = fields({
  record: text,
  records: setOf((one) => typeof one === 'string'),
  read_on: setOf((one) => typeof one === 'number'),
});

/**
 * Who told something on which day of receipt: one small item per device and day. The archive finds the day's rows by it, and
 * whoever looks for devices that fell silent finds the last ones heard, without reading the whole table.
 */
export function createReceipts({ config, documents, clock }: Pick<Services, 'config' | 'documents' | 'clock'>) {
  const TableName = config.tables.garden;

  const days = () => {
    const now = clock.now();
    return Array.from({ length: INDEX_DAYS + 2 }, (_, back) => dayOf(now - (back - 1) * DAY_MS));
  };

  const mentions = (uid: Uid, hwId: HwId | ''): Promise<GardenKey[]> =>
    pMap(
      days(),
      async (day) => {
        // At most as many items as the account has devices: always one page.
        const { Items: items = [] } = await (await documents()).query({
          TableName,
          KeyConditionExpression: '#partition = :partition AND begins_with(#record, :prefix)',
          ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
          ExpressionAttributeValues: {
            ':partition': receiptPartition(day, shardOf(uid)),
            ':prefix': `${receiptPrefix(uid)}${hwId}`,
          },
          ProjectionExpression: '#partition, #record',
          ConsistentRead: true,
        });
        return items.map((item) => readKey(item));
      },
      { concurrency: AT_ONCE },
    ).then((pages) => pages.flat());

  return {
    /**
     * Notes an upload. Comes before its rows are stored: what is noted and then not stored does no harm.
     *
     * @param readAts when its rows were read, in milliseconds since 1970
     */
    async note(
      uid: Uid,
      hwId: HwId,
      { records, readAts }: { readonly records: readonly string[]; readonly readAts: readonly number[] },
      now: number,
    ): Promise<void> {
      const hasRows = records.length > 0;
      await (await documents()).update({
        TableName,
        Key: { ...receiptKey(dayOf(now), uid, hwId) },
        UpdateExpression: `SET expires_at = :expiry, #schema = :schema${hasRows ? ' ADD records :records, read_on :days' : ''}`,
        ExpressionAttributeNames: { '#schema': 'schema' },
        ExpressionAttributeValues: {
          ':expiry': ttlSeconds(startOfDay(dayOf(now)) + (INDEX_DAYS + 1) * DAY_MS),
          ':schema': SCHEMA,
          ...(hasRows && {
            ':records': new Set(records),
            ':days': new Set(readAts.map((ms) => Math.floor(ms / DAY_MS))),
          }),
        },
      });
    },

    /** Everybody who told something on a day, in the order of accounts, page by page. @param after where to go on */
    async *ofDay(day: string, shard: number, after?: { readonly uid: Uid; readonly hwId: HwId }) {
      const client = await documents();
      let start: Record<string, unknown> | undefined = after && { ...receiptKey(day, after.uid, after.hwId) };
      do {
        const page = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :partition',
          ExpressionAttributeNames: { '#partition': 'partition' },
          ExpressionAttributeValues: { ':partition': receiptPartition(day, shard) },
          ConsistentRead: true,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        });
        yield (page.Items ?? []).map(toReceipt);
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
    },

    /** The devices of an account that told something in the last days. */
    async devicesOf(uid: Uid): Promise<readonly HwId[]> {
      return [...new Set((await mentions(uid, '')).map(({ record }) => hwIdOf(record)))];
    },

    /** Removes all mentions of a device. */
    async remove(uid: Uid, hwId: HwId): Promise<void> {
      const client = await documents();
      await pMap(await mentions(uid, hwId), (key) => client.delete({ TableName, Key: { ...key } }), {
        concurrency: AT_ONCE,
      });
    },
  };
}

export type Receipts = ReturnType<typeof createReceipts>;

function toReceipt(item: unknown): Receipt {
  const { record, records, read_on: readOn } = readStored(item);
  const uid = decodeURIComponent(record.slice(0, record.indexOf('#')));
  if (!isUid(uid)) throw new Error('an upload is of nobody');
  return { uid, hwId: hwIdOf(record), records, readOn };
}

function hwIdOf(record: string): HwId {
  const hwId = record.slice(record.indexOf('#') + 1);
  if (!isHwId(hwId)) throw new Error('an upload is of no device');
  return hwId;
}
