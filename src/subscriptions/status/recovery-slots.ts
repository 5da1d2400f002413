import { createHash } from 'node:crypto';
import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';

const SCHEMA = 1;
const HOUR_MS = 60 * 60 * 1000;

/** Limits the search for a lost customer to once per user and hour, because it takes several calls to Stripe. */
export interface RecoverySlots {
  /** Returns whether the search may run now; only one of several parallel requests gets the slot. */
  take(uid: Uid, now: number): Promise<boolean>;
  giveBack(uid: Uid): Promise<void>;
}

export function createRecoverySlots({ config, documents }: Pick<Services, 'config' | 'documents'>): RecoverySlots {
  const TableName = config.tables.rateLimits;
  // Hashed, so that a deleted account does not leave the user's id behind for an hour.
  const keyOf = (uid: Uid) => ({ id: `recovery#${createHash('sha256').update(uid).digest('base64url')}` });

  return {
    async take(uid, now) {
      return wasConditionMet(async () =>
        (await documents()).put({
          TableName,
          Item: { ...keyOf(uid), taken_at: now, expires_at: ttlSeconds(now + HOUR_MS), schema: SCHEMA },
          // TTL deletes late, so the time decides, not the existence of the item.
          ConditionExpression: 'attribute_not_exists(id) OR taken_at <= :before',
          ExpressionAttributeValues: { ':before': now - HOUR_MS },
        }),
      );
    },
    async giveBack(uid) {
      await (await documents()).delete({ TableName, Key: keyOf(uid) });
    },
  };
}
