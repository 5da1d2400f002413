import type { Uid } from '../../platform/ids.ts';
import type { StripeSubscription } from '../../platform/stripe/stripe-gateway.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import type { BillingRecord } from '../billing-record.ts';
import type { SyncWrite } from '../store.ts';
import {
  bestSubscription,
  ended,
  isLive,
  isSameSnapshot,
  type Snapshot,
  snapshotOf,
  usedTrial,
} from './subscription.ts';

/** Runs for the same user meet here. Two others that got through are enough to end an event's run (see below). */
const ROUNDS = 10;
const ENOUGH_OTHERS = 2;
/** An unchanged snapshot is written again after this time, so that its age says when Stripe last confirmed it. */
const CONFIRM_AGAIN_MS = 10 * 60 * 1000;

export interface SyncCause {
  /** `created` of the event, in seconds. */
  readonly eventCreated: number;
  /** A customer of whom the event says that Stripe has removed it. */
  readonly removedCustomer: string | undefined;
}

export interface SyncResult {
  readonly billing: BillingRecord;
  /** Every subscription the user ever had, as this run saw them. */
  readonly subscriptions: readonly StripeSubscription[];
  readonly changed: boolean;
  /** Whether the cause is older than what was stored already. */
  readonly outOfOrder: boolean;
}

/**
 * Brings a user's snapshot to what Stripe has now. What an event says is never applied: events come late, twice and in
 * any order, while a subscription that is read is the truth. The write holds only if nobody wrote since the version
 * was read, and the version is read before Stripe is asked; so the last one who writes has seen everything that was
 * there when the one before wrote.
 *
 * @returns undefined for a user without a customer: there is nobody to ask about
 * @throws StripeUnavailableError; the snapshot is then as it was
 */
export async function syncSubscription(
  needs: BillingNeeds,
  uid: Uid,
  cause?: SyncCause,
): Promise<SyncResult | undefined> {
  const { store, stripe, metrics, priceId, now } = needs;
  let outOfOrder: boolean | undefined;
  let first: BillingRecord | undefined;
  let subscriptions: readonly StripeSubscription[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const billing = await store.readBilling(uid);
    if (billing.customerIds.length === 0) return undefined;
    first ??= billing;
    outOfOrder ??= cause !== undefined && cause.eventCreated < billing.lastEventAt;
    // The second of two others has read its version after the first one's write, and so asked Stripe after this run
    // began: what the event tells of is in its answer. Only a removed customer is news that Stripe may not show.
    const isDoneByOthers = billing.syncs >= first.syncs + ENOUGH_OTHERS;
    if (isDoneByOthers && cause !== undefined && cause.removedCustomer === undefined) {
      return { billing, subscriptions, changed: false, outOfOrder };
    }
    const found = await Promise.all(
      billing.customerIds.map(async (customerId) => ({
        customerId,
        subscriptions: customerId === cause?.removedCustomer ? undefined : await stripe.subscriptionsOf(customerId),
      })),
    );
    subscriptions = found.flatMap((one) => one.subscriptions ?? []);
    // Checkout sees to it that nobody gets a second one; somebody may still be given one at Stripe's dashboard.
    if (subscriptions.filter(isLive).length > 1) metrics.count('SeveralLiveSubscriptions');
    const gone = found.flatMap((one) => (one.subscriptions === undefined ? [one.customerId] : []));
    const write = decideWrite(billing, { subscriptions, gone, priceId, eventCreated: cause?.eventCreated });
    const changed = isChange(billing, write);
    // For an event the write is made even if it changes nothing: the version it raises is what stops a run that was held
    // up with an older answer. Whoever only asks may leave it, because an event is still to come for what changed.
    if (!changed && cause === undefined && isFresh(billing, now()))
      return { billing, subscriptions, changed, outOfOrder };
    if (await store.writeSync(uid, write, now())) {
      return { billing: after(billing, write, now()), subscriptions, changed, outOfOrder };
    }
  }
  throw new Error('a billing record was written so often that no answer of Stripe could be stored');
}

interface Truth {
  readonly subscriptions: readonly StripeSubscription[];
  readonly gone: readonly string[];
  readonly priceId: string | undefined;
  readonly eventCreated: number | undefined;
}

function decideWrite(billing: BillingRecord, { subscriptions, gone, priceId, eventCreated = 0 }: Truth): SyncWrite {
  const best = bestSubscription(subscriptions);
  return {
    basedOn: billing.version,
    customerId: currentCustomer(billing, best, gone),
    gone,
    snapshot: best === undefined ? leftOver(billing, gone) : snapshotOf(best, priceId),
    lastEventAt: Math.max(billing.lastEventAt, eventCreated),
    recordTrial: billing.trialUsedAt === null && subscriptions.some(usedTrial),
  };
}

/** Whoever pays is the customer that checkout and portal go to; one who is gone is none. */
function currentCustomer(
  billing: BillingRecord,
  best: StripeSubscription | undefined,
  gone: readonly string[],
): string | null {
  if (best !== undefined && isLive(best)) return best.customerId;
  const left = billing.customerIds.filter((id) => !gone.includes(id));
  return left.find((id) => id === billing.customerId) ?? left[0] ?? null;
}

function leftOver({ snapshot, formerCustomerIds }: BillingRecord, gone: readonly string[]): Snapshot | null {
  if (snapshot === null || ![...gone, ...formerCustomerIds].includes(snapshot.customerId)) return null;
  return ended(snapshot);
}

function isChange(billing: BillingRecord, write: SyncWrite): boolean {
  return (
    write.recordTrial ||
    write.gone.length > 0 ||
    write.customerId !== billing.customerId ||
    !isSameSnapshot(write.snapshot, billing.snapshot)
  );
}

/** Whether the stored snapshot was confirmed so lately that its age need not be written anew. */
function isFresh({ syncedAt }: BillingRecord, now: number): boolean {
  return syncedAt !== null && now - syncedAt < CONFIRM_AGAIN_MS;
}

function after(billing: BillingRecord, write: SyncWrite, now: number): BillingRecord {
  return {
    customerId: write.customerId,
    customerIds: billing.customerIds.filter((id) => !write.gone.includes(id)),
    formerCustomerIds: [...billing.formerCustomerIds, ...write.gone],
    snapshot: write.snapshot,
    syncedAt: now,
    lastEventAt: write.lastEventAt,
    trialUsedAt: write.recordTrial ? new Date(now).toISOString() : billing.trialUsedAt,
    version: billing.version + 1,
    syncs: billing.syncs + 1,
  };
}
