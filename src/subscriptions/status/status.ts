import type { Log } from '../../platform/observability/log.ts';
import { TimeLimitError, withTimeLimit } from '../../platform/resilience/time-limit.ts';
import { StripeUnavailableError } from '../../platform/stripe/stripe-errors.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import type { BillingRecord } from '../billing-record.ts';
import type { Buyer } from '../checkout/customer.ts';
import { applyKeptEvents } from '../webhook/kept-events.ts';
import { adoptByEmail } from './recovery.ts';
import type { RecoverySlots } from './recovery-slots.ts';
import { grantsPremium } from './subscription.ts';
import { syncSubscription } from './sync.ts';

/** The app shows a spinner meanwhile; after this, the stored snapshot is the better answer. */
const STRIPE_MS = 3_000;

export interface Status {
  readonly isPremium: boolean;
  /** Stripe's status, or `none`. */
  readonly status: string;
  readonly plan: string | null;
  readonly currentPeriodEnd: string | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly trialUsed: boolean;
  readonly source: 'stripe' | 'snapshot' | 'stripe_recovered_email';
  readonly stale?: true;
  /** Seconds since Stripe last confirmed the snapshot; null if never. */
  readonly snapshotAgeSeconds?: number | null;
}

/** Returns the status from Stripe if it answers in time, else from the stored snapshot, marked as stale. */
export async function subscriptionStatus(
  needs: BillingNeeds,
  slots: RecoverySlots,
  user: Buyer,
  log: Log,
): Promise<Status> {
  const { store, metrics, now } = needs;
  let billing: BillingRecord | undefined;
  try {
    return await withTimeLimit(STRIPE_MS, async () => {
      const stored = await store.readBilling(user.uid);
      billing = stored;
      if (stored.customerIds.length > 0) {
        const result = await syncSubscription(needs, user.uid);
        return describe(result?.billing ?? stored, 'stripe', now());
      }
      const recovered = await recover(needs, slots, user);
      return recovered === undefined
        ? describe(stored, 'stripe', now())
        : describe(recovered, 'stripe_recovered_email', now());
    });
  } catch (error) {
    if (!(error instanceof StripeUnavailableError || error instanceof TimeLimitError)) throw error;
    // Nothing was read in time: our database failed, not Stripe, and there is nothing to fall back to.
    if (billing === undefined) throw error;
    metrics.count('SubscriptionStatusFallback');
    log.warn('Stripe did not answer; using the stored snapshot', { uid: user.uid }, error);
    return stale(billing, now());
  }
}

/** Searches the customer by e-mail, at most once an hour per user; a failed search does not count. */
async function recover(needs: BillingNeeds, slots: RecoverySlots, user: Buyer): Promise<BillingRecord | undefined> {
  const { uid, email, emailVerified } = user;
  if (email === undefined || !emailVerified || !(await slots.take(uid, needs.now()))) return undefined;
  try {
    const customerId = await adoptByEmail(needs, { uid, email });
    if (customerId === undefined) return undefined;
    const result = await syncSubscription(needs, uid);
    await applyKeptEvents(needs, customerId);
    needs.metrics.count('SubscriptionRecoveredByEmail');
    return result?.billing;
  } catch (error) {
    await slots.giveBack(uid);
    throw error;
  }
}

function describe({ snapshot, trialUsedAt }: BillingRecord, source: Status['source'], now: number): Status {
  return {
    isPremium: grantsPremium(snapshot, now),
    status: snapshot?.status ?? 'none',
    plan: snapshot?.plan ?? null,
    currentPeriodEnd: snapshot?.currentPeriodEnd ?? null,
    cancelAtPeriodEnd: snapshot?.cancelAtPeriodEnd ?? false,
    trialUsed: trialUsedAt !== null,
    source,
  };
}

function stale(billing: BillingRecord, now: number): Status {
  const age = billing.syncedAt === null ? null : Math.max(0, Math.round((now - billing.syncedAt) / 1000));
  return { ...describe(billing, 'snapshot', now), stale: true, snapshotAgeSeconds: age };
}
