import { paginateScan } from '@aws-sdk/client-dynamodb';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { marshall, type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';
import { type Place, TABLES, type TableName } from '../../cli/target/place.ts';
import type { DeviceWithTelemetry } from '../telemetry/devices.ts';
import { abandonedTelemetry, removeTelemetryOf } from './abandoned-telemetry.ts';
import { kindOf, OBJECT_RULES, ORPHANED_STATE, TABLE_KEYS } from './retention-rules.ts';

/** One item or object past its retention time. */
export type Outdated =
  | {
      readonly kind: 'item';
      readonly rule: string;
      readonly table: TableName;
      readonly key: Readonly<Record<string, NativeAttributeValue>>;
    }
  | { readonly kind: 'telemetry'; readonly rule: string; readonly device: DeviceWithTelemetry }
  | { readonly kind: 'object'; readonly rule: string; readonly key: string; readonly bytes: number };

/** Yields everything in an environment that is past its retention time. */
export async function* outdated(place: Place, now: number): AsyncGenerator<Outdated> {
  for (const table of TABLES) yield* expiredItems(place, table, now);
  for (const { name, prefix, afterMs } of OBJECT_RULES) {
    for await (const { key, bytes } of objectsOlderThan(place, prefix, now - afterMs)) {
      yield { kind: 'object', rule: name, key, bytes };
    }
  }
  yield* orphanedStates(place, now);
  for await (const device of abandonedTelemetry(place, now)) {
    yield { kind: 'telemetry', rule: 'telemetry of devices no longer owned', device };
  }
}

/** DynamoDB removes them within about two days, but only if time to live is enabled for the table. */
async function* expiredItems(place: Place, table: TableName, now: number): AsyncGenerator<Outdated> {
  const pages = paginateScan(
    { client: place.dynamo },
    {
      TableName: place.tableName(table),
      FilterExpression: 'expires_at < :now',
      ExpressionAttributeValues: marshall({ ':now': Math.floor(now / 1000) }),
    },
  );
  for await (const { Items: items = [] } of pages) {
    for (const item of items.map((one) => unmarshall(one))) {
      const key = Object.fromEntries(TABLE_KEYS[table].map((name) => [name, item[name]]));
      yield { kind: 'item', rule: `expired items of ${table}: ${kindOf(table, item)}`, table, key };
    }
  }
}

async function* objectsOlderThan(place: Place, Prefix: string, moment: number) {
  for await (const { Contents: contents = [] } of paginateListObjectsV2(
    { client: place.s3 },
    { Bucket: place.bucket, Prefix },
  )) {
    for (const { Key: key, Size: bytes = 0, LastModified: modified } of contents) {
      if (key !== undefined && modified !== undefined && modified.getTime() < moment) yield { key, bytes };
    }
  }
}

async function* orphanedStates(place: Place, now: number): AsyncGenerator<Outdated> {
  const { name, prefix, afterMs } = ORPHANED_STATE;
  for await (const { key, bytes } of objectsOlderThan(place, prefix, now - afterMs)) {
    const [, uid = ''] = key.split('/');
    const { Item: state } = await place.dynamo.getItem({
      TableName: place.tableName('users'),
      Key: marshall({ uid, record: 'state' }),
      ConsistentRead: true,
    });
    const keptKey: unknown = state === undefined ? undefined : unmarshall(state)['object_key'];
    if (keptKey !== key) yield { kind: 'object', rule: name, key, bytes };
  }
}

/** Removes an item or object. An item whose expiry was extended in the meantime is kept. */
export async function remove(place: Place, found: Outdated, now: number): Promise<void> {
  if (found.kind === 'object') {
    await place.s3.deleteObject({ Bucket: place.bucket, Key: found.key });
    return;
  }
  if (found.kind === 'telemetry') {
    await removeTelemetryOf(place, found.device);
    return;
  }
  try {
    await place.dynamo.deleteItem({
      TableName: place.tableName(found.table),
      Key: marshall(found.key),
      ConditionExpression: 'expires_at < :now',
      ExpressionAttributeValues: marshall({ ':now': Math.floor(now / 1000) }),
    });
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ConditionalCheckFailedException')) throw error;
  }
}
