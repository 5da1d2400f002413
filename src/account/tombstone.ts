import { createHash } from 'node:crypto';
import type { TransactItems } from '../platform/aws/dynamo.ts';
import type { Config } from '../platform/config.ts';
import type { Uid } from '../platform/ids.ts';

/** A Cognito token is valid for at most a day; until the last one expires, we must know that its user is gone. */
export const TOMBSTONE_LIFE_MS = 25 * 60 * 60 * 1000;

/**
 * Returns the key of an account's deletion record. It is a hash of the random uid: the record that remains for a day
 * identifies nobody, yet requests with a still valid token find it.
 */
export function tombstoneKey(uid: Uid): { readonly uid: string; readonly record: string } {
  return { uid: `deleted#${createHash('sha256').update(uid).digest('hex')}`, record: 'deletion' };
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
