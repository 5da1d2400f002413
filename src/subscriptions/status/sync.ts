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

/** Runs for the same user compete. Two other runs that succeeded are enough to end an event's run (see below). */
const ROUNDS = 10;
const ENOUGH_OTHERS = 2;
/** An unchanged snapshot is written again after this time, so that its age says when Stripe last confirmed it. */
const CONFIRM_AGAIN_MS = 10 * 60 * 1000;

export interface SyncCause {
  /** `created` of the event, in seconds. */
  readonly eventCreated: number;
  /** The customer, if the event reports that it was removed at Stripe. */
  readonly removedCustomer: string | undefined;
}

export interface SyncResult {
  readonly billing: BillingRecord;
  /** Every subscription the user ever had, as this run saw them. */
  readonly subscriptions: readonly StripeSubscription[];
  readonly changed: boolean;
  /** Whether the event is older than the stored state. */
  readonly outOfOrder: boolean;
}

/**
 * Syncs a user's snapshot with Stripe. The content of an event is never applied: events arrive late, twice and in any
 * order, while a subscription read from Stripe is the truth. The version is read before Stripe is asked, and the write
 * succeeds only if nobody has written since. So the last writer has seen everything that existed when the previous one
 * wrote.
 *
 * @returns undefined for a user without a customer
 * @throws StripeUnavailableError; the snapshot is then unchanged
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
    // The second of two other runs read its version after the first one's write, so it asked Stripe after this run
    // began: its answer includes what the event reports. Only a removed customer may not show in Stripe's answer.
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
    // Checkout prevents a second one, but one can still be created in Stripe's dashboard.
    if (subscriptions.filter(isLive).length > 1) metrics.count('SeveralLiveSubscriptions');
    const gone = found.flatMap((one) => (one.subscriptions === undefined ? [one.customerId] : []));
    const write = decideWrite(billing, { subscriptions, gone, priceId, eventCreated: cause?.eventCreated });
    const changed = isChange(billing, write);
    // An event's run writes even if nothing changed: the higher version stops a delayed run with an older answer. A run
    // that only reads the status may skip the write, because an event for any change is still to come.
    if (!changed && cause === undefined && isFresh(billing, now()))
      return { billing, subscriptions, changed, outOfOrder };
    if (await store.writeSync(uid, write, now())) {
      await reportChange(needs, uid, billing.snapshot, write.snapshot);
      return { billing: after(billing, write, now()), subscriptions, changed, outOfOrder };
    }
  }
  throw new Error('a billing record changed too often to store an answer from Stripe');
}

async function reportChange(
  { onStatusChanged, now }: BillingNeeds,
  uid: Uid,
  from: Snapshot | null,
  to: Snapshot | null,
): Promise<void> {
  if (to === null) return;
  const { subscriptionId, status, currentPeriodEnd } = to;
  const former = from?.subscriptionId === subscriptionId ? from.status : null;
  if (former === status) return;
  await onStatusChanged(uid, { subscriptionId, from: former, to: status, currentPeriodEnd, at: now() });
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

/** Checkout and portal use the customer who pays, never one who is gone. */
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

/** Checks whether the snapshot was confirmed so recently that its age need not be updated. */
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
