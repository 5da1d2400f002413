import * as z from 'zod';
import type { StripeSubscription } from '../../platform/stripe/stripe-gateway.ts';

/**
 * How long a stored snapshot is trusted beyond the end of the paid period. Stripe delivers an event for three days; if
 * none arrived by then, the subscription has more likely ended than been renewed.
 */
const GRACE_MS = 3 * 24 * 60 * 60 * 1000;

const PREMIUM = new Set(['active', 'trialing']);
/** Not premium, but can become so without a new checkout; with a second one the user would pay twice. */
const PENDING = new Set(['past_due', 'unpaid', 'paused', 'incomplete']);
/** Statuses of a subscription that never started. */
const NEVER_WAS = new Set(['incomplete', 'incomplete_expired']);

/** The stored part of a subscription, so that no hot path has to ask Stripe. */
export const Snapshot = z.object({
  subscriptionId: z.string(),
  customerId: z.string(),
  status: z.string(),
  plan: z.enum(['monthly', 'subscription']),
  /** RFC 3339. */
  currentPeriodEnd: z.string().nullable(),
  cancelAtPeriodEnd: z.boolean(),
});
export type Snapshot = Readonly<z.output<typeof Snapshot>>;

/** The contract's order: grants premium, may grant it again, may still come to grant it, is over. */
const RANKS: Readonly<Record<string, number>> = {
  active: 0,
  trialing: 0,
  past_due: 1,
  unpaid: 1,
  paused: 2,
  incomplete: 3,
  canceled: 4,
  incomplete_expired: 5,
};
const UNKNOWN_RANK = 6;

/** Returns the subscription that counts, of all the user ever had: the best status, then the newest. */
export function bestSubscription(all: readonly StripeSubscription[]): StripeSubscription | undefined {
  const rank = ({ status }: StripeSubscription) => RANKS[status] ?? UNKNOWN_RANK;
  return [...all].sort(
    (a, b) => rank(a) - rank(b) || b.createdAt - a.createdAt || (a.id < b.id ? -1 : a.id === b.id ? 0 : 1),
  )[0];
}

export function snapshotOf(subscription: StripeSubscription, priceId: string | undefined): Snapshot {
  const { id, customerId, status, currentPeriodEnd, cancelAtPeriodEnd, priceIds } = subscription;
  return {
    subscriptionId: id,
    customerId,
    status,
    plan: priceId !== undefined && priceIds.includes(priceId) ? 'monthly' : 'subscription',
    currentPeriodEnd: currentPeriodEnd === null ? null : new Date(currentPeriodEnd).toISOString(),
    cancelAtPeriodEnd,
  };
}

/** The snapshot after its customer was removed: Stripe cancels the subscriptions of a removed customer. */
export function ended(snapshot: Snapshot): Snapshot {
  return { ...snapshot, status: 'canceled', cancelAtPeriodEnd: false };
}

/** Checks whether the snapshot grants premium now; without a renewal it lapses. */
export function grantsPremium(snapshot: Snapshot | null, now: number): boolean {
  if (snapshot === null || !PREMIUM.has(snapshot.status)) return false;
  return snapshot.currentPeriodEnd === null || now < Date.parse(snapshot.currentPeriodEnd) + GRACE_MS;
}

export function isLive({ status }: Pick<StripeSubscription, 'status'>): boolean {
  return PREMIUM.has(status) || PENDING.has(status);
}

/** Checks whether the subscription really existed, which uses up the trial. */
export function usedTrial(subscription: StripeSubscription): boolean {
  return subscription.hadTrial || !NEVER_WAS.has(subscription.status);
}

export function isSameSnapshot(a: Snapshot | null, b: Snapshot | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.subscriptionId === b.subscriptionId &&
    a.customerId === b.customerId &&
    a.status === b.status &&
    a.plan === b.plan &&
    a.currentPeriodEnd === b.currentPeriodEnd &&
    a.cancelAtPeriodEnd === b.cancelAtPeriodEnd
  );
}
