import { createHash } from 'node:crypto';
import type { TransactItems } from '../platform/aws/dynamo.ts';
import type { Config } from '../platform/config.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { fields, number, oneOf, optional } from '../platform/shapes.ts';

/** A Cognito token is valid for at most a day; until the last one expires, we must know that its user is gone. */
export const TOMBSTONE_LIFE_MS = 25 * 60 * 60 * 1000;

/**
 * Returns the key of an account's deletion record. It is a hash of the random uid: the record that remains for a day
 * identifies nobody, yet requests with a still valid token find it.
 */
export function tombstoneKey(uid: Uid): { readonly uid: string; readonly record: string } {
  return { uid: `deleted#${createHash('sha256').update(uid).digest('hex')}`, record: 'deletion' };
}

const storedTombstone = fields({ status: oneOf(['pending', 'done']), expires_at: optional(number) });

/** Returns the state of the account's deletion; `none` when it was never requested. A strongly consistent read. */
export async function readDeletion(
  { config, documents }: Pick<Services, 'config' | 'documents'>,
  uid: Uid,
  now: number,
): Promise<'none' | 'pending' | 'done'> {
  const { Item: item } = await (await documents()).get({
    TableName: config.tables.users,
    Key: tombstoneKey(uid),
    ConsistentRead: true,
  });
  if (item === undefined) return 'none';
  const tombstone = storedTombstone(item);
  // TTL deletes late; an expired tombstone no longer counts.
  if (tombstone.expires_at !== undefined && tombstone.expires_at * 1000 <= now) return 'none';
  return tombstone.status;
}

/** Returns an action that lets a transaction commit only while the account is not being deleted. */
export function aliveCheck(config: Pick<Config, 'tables'>, uid: Uid): TransactItems[number] {
  return {
    ConditionCheck: {
      TableName: config.tables.users,
      Key: tombstoneKey(uid),
      ConditionExpression: 'attribute_not_exists(#status)',
      ExpressionAttributeNames: { '#status': 'status' },
    },
  };
}
