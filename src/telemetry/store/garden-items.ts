import pMap from 'p-map';
import type { Item } from '../../platform/aws/attribute-values.ts';
import { transactWrite, wasConditionMet } from '../../platform/aws/dynamo.ts';
import { removePartition } from '../../platform/aws/dynamodb/remove-partition.ts';
import { DependencyUnavailableError } from '../../platform/resilience/dependency.ts';
import type { Services } from '../../platform/services.ts';
import type { GardenKey } from '../table-keys.ts';

/** What an item is before it is written: `revision` is added. */
export interface Revised {
  readonly key: GardenKey;
  /** The revision it is based on; 0 if there was no item. */
  readonly revision: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What of the services the table needs. */
export interface GardenAccess extends Pick<Services, 'documents'> {
  readonly config: { readonly tables: Pick<Services['config']['tables'], 'garden'> };
  readonly randomness: Pick<Services['randomness'], 'fraction'>;
}

const SCHEMA = 1;
/** DynamoDB's limit. */
const KEYS_AT_ONCE = 100;
const MOST_ROUNDS = 8;
const AT_ONCE = 16;

/** The garden table's items with a `revision`, which rises with every write. */
export function createGardenItems({ config, documents, randomness }: GardenAccess) {
  const TableName = config.tables.garden;

  const readSome = async (keys: readonly GardenKey[], isConsistent: boolean): Promise<Item[]> => {
    const client = await documents();
    const found: Item[] = [];
    let left: readonly Item[] = keys.map((key) => ({ ...key }));
    for (let round = 0; left.length > 0; round += 1) {
      if (round === MOST_ROUNDS) throw new DependencyUnavailableError('DynamoDB', new Error('it leaves keys out'));
      const { Responses: items, UnprocessedKeys: rest } = await client.batchGet({
        RequestItems: { [TableName]: { Keys: [...left], ConsistentRead: isConsistent } },
      });
      found.push(...(items[TableName] ?? []));
      left = rest[TableName]?.Keys ?? [];
    }
    return found;
  };

  const put = ({ key, revision, fields }: Revised) => ({
    TableName,
    Item: { ...key, ...fields, revision: revision + 1, schema: SCHEMA },
    ConditionExpression: revision === 0 ? 'attribute_not_exists(#partition)' : '#revision = :revision',
    ExpressionAttributeNames: revision === 0 ? { '#partition': 'partition' } : { '#revision': 'revision' },
    ...(revision === 0 ? {} : { ExpressionAttributeValues: { ':revision': revision } }),
  });

  return {
    /** Reads items by their keys, in one round for up to 100 of them; those that don't exist are left out. */
    async read(keys: readonly GardenKey[], { isConsistent }: { readonly isConsistent: boolean }): Promise<Item[]> {
      const pages: GardenKey[][] = [];
      for (let at = 0; at < keys.length; at += KEYS_AT_ONCE) pages.push(keys.slice(at, at + KEYS_AT_ONCE));
      return (await pMap(pages, (page) => readSome(page, isConsistent), { concurrency: AT_ONCE })).flat();
    },

    /** All items of a partition whose records are in a range, ends included, in their order. */
    async inRange(
      partition: string,
      from: string,
      to: string,
      { isConsistent }: { readonly isConsistent: boolean } = { isConsistent: false },
    ): Promise<Item[]> {
      const client = await documents();
      const found: Item[] = [];
      let start: Item | undefined;
      do {
        const page = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :partition AND #record BETWEEN :from AND :to',
          ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
          ExpressionAttributeValues: { ':partition': partition, ':from': from, ':to': to },
          ConsistentRead: isConsistent,
          ExclusiveStartKey: start,
        });
        found.push(...page.Items);
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
      return found;
    },

    /** Writes an item if it is still at the revision it is based on; says whether. */
    async write(item: Revised): Promise<boolean> {
      return wasConditionMet(async () => (await documents()).put(put(item)));
    },

    /** Writes all items or, if one of them is at another revision, none; says whether. */
    async writeTogether(items: readonly Revised[]): Promise<boolean> {
      const { committed } = await transactWrite(
        documents,
        randomness,
        items.map((item) => ({ Put: put(item) })),
      );
      return committed;
    },

    async remove(Key: GardenKey): Promise<void> {
      await (await documents()).delete({ TableName, Key });
    },

    /** Removes a whole partition, and one item more that leads to it. Can be repeated. */
    async removeAll(partition: string, more: GardenKey): Promise<void> {
      const client = await documents();
      await removePartition(client, { TableName, partition });
      await client.delete({ TableName, Key: more });
    },
  };
}

export type GardenItems = ReturnType<typeof createGardenItems>;
