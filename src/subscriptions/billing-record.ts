import * as z from 'zod';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { Snapshot } from './status/subscription.ts';

/** All stored billing data of a user. */
export interface BillingRecord {
  /** The customer for checkout and portal; null while the user has none at Stripe. */
  readonly customerId: string | null;
  /** The user's customers at Stripe; more than one only if some were created by hand. */
  readonly customerIds: readonly string[];
  /** Customers removed at Stripe. */
  readonly formerCustomerIds: readonly string[];
  readonly snapshot: Snapshot | null;
  /** When this was last synced with Stripe, in ms; null if never. */
  readonly syncedAt: number | null;
  /** `created` of the newest event that changed the snapshot, in seconds. */
  readonly lastEventAt: number;
  /** RFC 3339; null if the user has never had a trial or a subscription. */
  readonly trialUsedAt: string | null;
  /** Increases with every write; 0 before the first. */
  readonly version: number;
  /** How many of those writes were syncs with Stripe. */
  readonly syncs: number;
}

const StoredBilling = z.object({
  stripe_customer_id: z.string().optional(),
  stripe_customer_ids: z.set(z.string()).default(new Set<string>()),
  former_customer_ids: z.set(z.string()).default(new Set<string>()),
  subscription_snapshot: Snapshot.optional(),
  synced_at: z.number().optional(),
  last_event_at: z.number().default(0),
  version: z.number(),
  syncs: z.number().default(0),
});
const StoredTrial = z.object({ used_at: z.string() });
const NOTHING: BillingRecord = {
  customerId: null,
  customerIds: [],
  formerCustomerIds: [],
  snapshot: null,
  syncedAt: null,
  lastEventAt: 0,
  trialUsedAt: null,
  version: 0,
  syncs: 0,
};

/** Reads both records at once; returns an empty record for an account without any. */
export function createBillingReader({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  return async (uid: Uid): Promise<BillingRecord> => {
    const { Items: items } = await (await documents()).query({
      TableName: config.tables.users,
      KeyConditionExpression: 'uid = :uid AND #record BETWEEN :first AND :last',
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: { ':uid': uid, ':first': 'subscription', ':last': 'trial' },
      ConsistentRead: true,
    });
    return toBilling(items);
  };
}

/** Builds the record from one user's items. */
export function toBilling(items: readonly Record<string, unknown>[]): BillingRecord {
  const billing = items.find((item) => item['record'] === 'subscription');
  const trial = items.find((item) => item['record'] === 'trial');
  const trialUsedAt = trial === undefined ? null : StoredTrial.parse(trial).used_at;
  if (billing === undefined) return { ...NOTHING, trialUsedAt };
  const stored = StoredBilling.parse(billing);
  return {
    customerId: stored.stripe_customer_id ?? null,
    customerIds: [...stored.stripe_customer_ids].sort(),
    formerCustomerIds: [...stored.former_customer_ids].sort(),
    snapshot: stored.subscription_snapshot ?? null,
    syncedAt: stored.synced_at ?? null,
    lastEventAt: stored.last_event_at,
    trialUsedAt,
    version: stored.version,
    syncs: stored.syncs,
  };
}
