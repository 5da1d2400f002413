import { type AttributeValue, paginateScan } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import pMap from 'p-map';
import { PlainError } from '../../cli/plain-error.ts';
import { type Place, TABLES, type TableName } from '../../cli/target/place.ts';
import { LEDGER } from '../migrate/ledger.ts';
import { isEmptyBucket } from './bucket-data.ts';
import { isProgress } from './relay-items.ts';

type Key = Record<string, AttributeValue>;

/** An item that exists in an environment before its first use. */
interface FreshItem {
  readonly table: TableName;
  readonly key: Key;
  readonly kind: Kind;
}

type Kind = 'migration ledger entry' | 'firmware key' | 'short-lived counter' | 'progress of work by time';

export interface FreshEnvironment {
  /** Names of the tables and bucket that hold anything else. */
  readonly taken: readonly string[];
  readonly items: readonly FreshItem[];
}

/**
 * Returns what an environment holds before a restore. `deploy` writes the migration ledger, the local stack registers a
 * key, and the first calls are counted. Any other item means that the environment is in use.
 *
 * @throws PlainError while a migration is running there
 */
export async function lookAtTarget(place: Place, now: number): Promise<FreshEnvironment> {
  const tables = await pMap(TABLES, (table) => freshItems(place, table, now));
  const bucket = (await isEmptyBucket(place)) ? [] : [place.bucket];
  return {
    taken: [
      ...tables.flatMap((items, at) => (items === 'used' ? [place.tableName(TABLES[at] ?? 'users')] : [])),
      ...bucket,
    ],
    items: tables.flatMap((items) => (items === 'used' ? [] : items)),
  };
}

async function freshItems(place: Place, table: TableName, now: number): Promise<readonly FreshItem[] | 'used'> {
  const found: FreshItem[] = [];
  const pages = paginateScan({ client: place.dynamo }, { TableName: place.tableName(table), ConsistentRead: true });
  for await (const { Items: items = [] } of pages) {
    for (const item of items) {
      const known = knownItem(table, item);
      if (known === undefined) return 'used';
      if (lockedUntil(item) > now) {
        throw new PlainError(`A migration is running in ${place.environment}. Restore after it has finished.`);
      }
      found.push(known);
    }
  }
  return found;
}

function knownItem(table: TableName, item: Key): FreshItem | undefined {
  switch (table) {
    case 'users':
    case 'relay':
      return undefined;
    case 'garden':
      return isProgress(table, item)
        ? knownAs('progress of work by time', table, item, 'partition', 'record')
        : undefined;
    case 'provisioning':
      return item['hw_id']?.S === LEDGER
        ? knownAs('migration ledger entry', table, item, 'hw_id', 'record')
        : undefined;
    case 'ota-releases':
      return item['board_channel']?.S?.startsWith('keys|') === true
        ? knownAs('firmware key', table, item, 'board_channel', 'version')
        : undefined;
    case 'rate-limits':
      return /^(rate|provider)#/.test(item['id']?.S ?? '')
        ? knownAs('short-lived counter', table, item, 'id')
        : undefined;
  }
}

function knownAs(kind: Kind, table: TableName, item: Key, ...names: readonly string[]): FreshItem {
  const key = Object.fromEntries(
    names.flatMap((name) => {
      const value = item[name];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  return { table, key, kind };
}

function lockedUntil(item: Key): number {
  if (item['record']?.S !== 'lock') return 0;
  return Number(unmarshall(item)['locked_until'] ?? 0);
}

const AT_ONCE = 8;

/** Removes those items, so that the restored environment holds exactly the backup's contents. */
export async function clearFreshItems(place: Place, items: readonly FreshItem[]): Promise<readonly string[]> {
  await pMap(items, ({ table, key }) => place.dynamo.deleteItem({ TableName: place.tableName(table), Key: key }), {
    concurrency: AT_ONCE,
  });
  const kinds = [...new Set(items.map(({ kind }) => kind))];
  return kinds.map((one) => `${items.filter(({ kind }) => kind === one).length} × ${one}`);
}
