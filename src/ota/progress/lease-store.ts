import * as z from 'zod';
import { failedCondition } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { HwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { SCHEMA } from '../registry/stored-release.ts';

/** How long a phone has a device to itself, unless it asks again. */
export const LEASE_MS = 10 * 60 * 1000;

export type LeaseOutcome =
  | { readonly held: true; readonly expiresAt: number }
  /** Another phone is at it, until then. */
  | { readonly held: false; readonly expiresAt: number };

const StoredLease = z.object({ phone_id: z.string(), leased_until: z.number() });

type Needed = Pick<Services, 'config' | 'documents'>;

/** One phone at a time flashes a device. The lease names a phone and no user. */
export function createLeaseStore({ config, documents }: Needed) {
  const TableName = config.tables.rateLimits;
  const keyOf = (hwId: HwId) => ({ id: `install-lease#${hwId}` });

  return {
    /** Takes the device for a phone, or keeps it for the phone that has it. */
    async take(hwId: HwId, phoneId: string, now: number): Promise<LeaseOutcome> {
      const expiresAt = now + LEASE_MS;
      try {
        await (await documents()).update({
          TableName,
          Key: keyOf(hwId),
          UpdateExpression: 'SET phone_id = :phone, leased_until = :until, expires_at = :expires, #schema = :schema',
          ConditionExpression: 'attribute_not_exists(phone_id) OR phone_id = :phone OR leased_until <= :now',
          ExpressionAttributeNames: { '#schema': 'schema' },
          ExpressionAttributeValues: {
            ':phone': phoneId,
            ':until': expiresAt,
            ':expires': ttlSeconds(expiresAt),
            ':now': now,
            ':schema': SCHEMA,
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        return { held: true, expiresAt };
      } catch (error) {
        const failed = failedCondition(error);
        if (failed === undefined) throw error;
        return { held: false, expiresAt: StoredLease.parse(failed.item).leased_until };
      }
    },

    /** Gives the device back; a phone that does not have it changes nothing. */
    async giveBack(hwId: HwId, phoneId: string): Promise<void> {
      try {
        await (await documents()).delete({
          TableName,
          Key: keyOf(hwId),
          ConditionExpression: 'phone_id = :phone',
          ExpressionAttributeValues: { ':phone': phoneId },
        });
      } catch (error) {
        if (failedCondition(error) === undefined) throw error;
      }
    },
  };
}

export type LeaseStore = ReturnType<typeof createLeaseStore>;
