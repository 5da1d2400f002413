import { createHash } from 'node:crypto';
import type { TransactItems } from '../platform/aws/dynamo.ts';
import type { Config } from '../platform/config.ts';
import type { Uid } from '../platform/ids.ts';

/** A Cognito token lives at most a day; until the last one has run out the backend must know that its user is gone. */
export const TOMBSTONE_LIFE_MS = 25 * 60 * 60 * 1000;

/**
 * Where the deletion of an account is recorded. The key is a hash of the random uid, so that what stays for a day
 * names nobody, while a token that is still good finds it.
 */
export function tombstoneKey(uid: Uid): { readonly uid: string; readonly record: string } {
  return { uid: `deleted#${createHash('sha256').update(uid).digest('hex')}`, record: 'deletion' };
}

/** An action for a transaction: it commits only while the user's account is not being deleted. */
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
