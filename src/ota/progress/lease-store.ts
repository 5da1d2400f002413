import * as z from 'zod';
import { failedCondition, wasConditionMet } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { HwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { SCHEMA } from '../registry/stored-release.ts';

/** How long a phone has exclusive use of a device, unless it renews the lease. */
export const LEASE_MS = 10 * 60 * 1000;

export type LeaseOutcome =
  | { readonly held: true; readonly expiresAt: number }
  /** Another phone holds the lease, until then. */
  | { readonly held: false; readonly expiresAt: number };

const StoredLease = z.object({ phone_id: z.string(), leased_until: z.number() });

type Needed = Pick<Services, 'config' | 'documents'>;

/** Only one phone at a time flashes a device. The lease names a phone, not a user. */
export function createLeaseStore({ config, documents }: Needed) {
  const TableName = config.tables.rateLimits;
  const keyOf = (hwId: HwId) => ({ id: `install-lease#${hwId}` });

  return {
    /** Takes the lease on the device, or renews it for the phone that holds it. */
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

    /** Releases the lease; does nothing for a phone that doesn't hold it. */
    async giveBack(hwId: HwId, phoneId: string): Promise<void> {
      await wasConditionMet(async () =>
        (await documents()).delete({
          TableName,
          Key: keyOf(hwId),
          ConditionExpression: 'phone_id = :phone',
          ExpressionAttributeValues: { ':phone': phoneId },
        }),
      );
    },
  };
}

export type LeaseStore = ReturnType<typeof createLeaseStore>;
