import { createHash } from 'node:crypto';
import { failedCondition } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';

const SCHEMA = 1;
const HOUR_MS = 60 * 60 * 1000;

/** Holds the search for a lost customer to once per user and hour: it costs Stripe several calls. */
export interface RecoverySlots {
  /** Whether the search may go ahead now; of parallel requests one gets the slot. */
  take(uid: Uid, now: number): Promise<boolean>;
  giveBack(uid: Uid): Promise<void>;
}

export function createRecoverySlots({ config, documents }: Pick<Services, 'config' | 'documents'>): RecoverySlots {
  const TableName = config.tables.rateLimits;
  // The user's id is not what a deleted account leaves behind for an hour.
  const keyOf = (uid: Uid) => ({ id: `recovery#${createHash('sha256').update(uid).digest('base64url')}` });

  return {
    async take(uid, now) {
      try {
        await (await documents()).put({
          TableName,
          Item: { ...keyOf(uid), taken_at: now, expires_at: ttlSeconds(now + HOUR_MS), schema: SCHEMA },
          // TTL removes late, so the time decides and not whether the item is still there.
          ConditionExpression: 'attribute_not_exists(id) OR taken_at <= :before',
          ExpressionAttributeValues: { ':before': now - HOUR_MS },
        });
        return true;
      } catch (error) {
        if (failedCondition(error) === undefined) throw error;
        return false;
      }
    },
    async giveBack(uid) {
      await (await documents()).delete({ TableName, Key: keyOf(uid) });
    },
  };
}
