import { type AttributeValue, paginateScan } from '@aws-sdk/client-dynamodb';
import pMap from 'p-map';
import { PlainError } from '../../cli/plain-error.ts';
import type { TableName, TablePlace } from '../../cli/target/place.ts';
import { type Item, itemLine } from './item-lines.ts';
import { asRestored, comparedLine, isOfTheMoment } from './relay-items.ts';

/** DynamoDB's limit of keys per call. */
const MOST_KEYS = 100;
const MOST_TRIES = 10;
const AT_ONCE = 8;

/** What to put back: nothing, missing items, or all that are missing or changed. */
export type PutBack = 'nothing' | 'missing' | 'all';

export interface Comparison {
  /** Items of the copy that are unchanged in the table. */
  readonly same: number;
  readonly changed: number;
  readonly missing: number;
  /** How many of them were put back. */
  readonly putBack: number;
}

/**
 * Compares every item of a recovered copy with the current table, and puts back what is asked for. Items added since
 * then are not touched.
 *
 * @param only partition keys to compare; empty for all
 */
export async function putBack(
  place: TablePlace,
  table: TableName,
  copy: string,
  what: PutBack,
  only: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Comparison> {
  const name = place.tableName(table);
  const keyNames = await keyNamesOf(place, name);
  const [partition = ''] = keyNames;
  const counts = { same: 0, changed: 0, missing: 0, putBack: 0 };
  const pages = paginateScan({ client: place.dynamo, pageSize: MOST_KEYS }, { TableName: copy, ConsistentRead: true });
  for await (const { Items: items = [] } of pages) {
    signal.throwIfAborted();
    const wanted = items
      .filter((item) => !isOfTheMoment(table, item))
      .filter((item) => only.size === 0 || only.has(ownerOf(table, item[partition]?.S ?? '')));
    if (wanted.length === 0) continue;
    const present = await readAll(place, table, keyNames, wanted);
    await pMap(
      wanted,
      async (item) => {
        const now = present.get(itemLine(keyOf(item, keyNames)));
        const then = comparedLine(table, item);
        if (now === then) counts.same += 1;
        else if (now === undefined) counts.missing += 1;
        else counts.changed += 1;
        const isAsked = now === undefined ? what !== 'nothing' : what === 'all' && now !== then;
        if (isAsked && (await put(place, name, asRestored(table, item), partition, now === undefined)))
          counts.putBack += 1;
      },
      { concurrency: AT_ONCE },
    );
  }
  return counts;
}

/** Whom a partition belongs to: the relay's events are in partitions of their own, which begin with the account. */
function ownerOf(table: TableName, partition: string): string {
  return table === 'relay' ? decodeURIComponent(partition.split('#')[0] ?? '') : partition;
}

async function keyNamesOf({ dynamo }: TablePlace, name: string): Promise<readonly string[]> {
  const { Table: table } = await dynamo.describeTable({ TableName: name });
  return (table?.KeySchema ?? []).flatMap(({ AttributeName: one }) => (one === undefined ? [] : [one]));
}

function keyOf(item: Item, names: readonly string[]): Item {
  return Object.fromEntries(Object.entries(item).filter(([name]) => names.includes(name)));
}

/** Returns the table's items with these keys as lines, by the lines of their keys. */
async function readAll(
  place: TablePlace,
  table: TableName,
  keyNames: readonly string[],
  items: readonly Item[],
): Promise<ReadonlyMap<string, string>> {
  const { dynamo } = place;
  const name = place.tableName(table);
  const found = new Map<string, string>();
  let keys: Record<string, AttributeValue>[] = items.map((item) => keyOf(item, keyNames));
  for (let tries = 1; keys.length > 0; tries += 1) {
    if (tries > MOST_TRIES) throw new PlainError(`${name} can't be read at the moment. Run it again to resume.`);
    const { Responses: answers, UnprocessedKeys: left } = await dynamo.batchGetItem({
      RequestItems: { [name]: { Keys: keys, ConsistentRead: true } },
    });
    for (const item of answers?.[name] ?? []) {
      found.set(itemLine(keyOf(item, keyNames)), comparedLine(table, item));
    }
    keys = left?.[name]?.Keys ?? [];
  }
  return found;
}

/** @returns false when a missing item was created again in the meantime */
async function put(
  { dynamo }: TablePlace,
  name: string,
  item: Item,
  partition: string,
  onlyIfMissing: boolean,
): Promise<boolean> {
  try {
    await dynamo.putItem({
      ...{ TableName: name, Item: item },
      ...(onlyIfMissing && {
        ConditionExpression: 'attribute_not_exists(#partition)',
        ExpressionAttributeNames: { '#partition': partition },
      }),
    });
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return false;
    throw error;
  }
}
