import type { Uid } from '../../platform/ids.ts';
import { StripeRefusedError } from '../../platform/stripe/stripe-errors.ts';
import type { CheckoutSession } from '../../platform/stripe/stripe-gateway.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import { bestSubscription, isLive } from '../status/subscription.ts';
import { syncSubscription } from '../status/sync.ts';
import { applyKeptEvents } from '../webhook/kept-events.ts';
import { type Buyer, ensureCustomer } from './customer.ts';
import { writeOnce } from './idempotent-write.ts';
import { mayTry } from './trial.ts';
import { TRIAL_DAYS } from './trial-days.ts';

export interface CheckoutUrls {
  /** As Stripe accepts them: http(s) only. */
  readonly successUrl: string;
  readonly cancelUrl: string;
}

export type CheckoutOutcome =
  | { readonly outcome: 'open'; readonly url: string; readonly sessionId: string }
  | { readonly outcome: 'already_subscribed'; readonly status: string }
  | { readonly outcome: 'account_deleted' };

/** Two racing requests want the same page; needing more rounds means that something else is wrong. */
const ROUNDS = 3;

/**
 * Opens the one page on which the user can subscribe. Asks Stripe what the user has, not our snapshot: a user with a
 * subscription, even one whose payment is late, must not pay for a second one.
 *
 * @throws StripeUnavailableError
 */
export async function openCheckout(
  needs: BillingNeeds,
  buyer: Buyer,
  urls: CheckoutUrls,
  priceId: string,
): Promise<CheckoutOutcome> {
  const { store, now } = needs;
  for (let round = 1; ; round += 1) {
    const customer = await ensureCustomer(needs, buyer, await store.readBilling(buyer.uid));
    if (customer === 'account_deleted') return { outcome: 'account_deleted' };
    const { customerId } = customer;
    try {
      const result = await syncSubscription(needs, buyer.uid);
      await applyKeptEvents(needs, customerId);
      const best = bestSubscription(result?.subscriptions ?? []);
      if (best !== undefined && isLive(best)) return { outcome: 'already_subscribed', status: best.status };
      const billing = result?.billing ?? (await store.readBilling(buyer.uid));
      const trialDays = (await mayTry(needs, buyer, billing)) ? TRIAL_DAYS : undefined;
      const session = await openSession(needs, { uid: buyer.uid, customerId, priceId, trialDays, ...urls });
      // The page to be closed has just been paid: check again what the user has now.
      if (session === 'page_was_paid' && round < ROUNDS) continue;
      if (session === 'page_was_paid') throw new Error('pages kept being paid while this one was opened');
      if (session.url === null) throw new Error('Stripe opened a checkout without a page');
      return { outcome: 'open', url: session.url, sessionId: session.id };
    } catch (error) {
      if (!isCustomerGone(error) || round >= ROUNDS) throw error;
      // The customer was removed at Stripe and the event has not arrived yet: the next round creates a new one.
      const cause = { eventCreated: Math.floor(now() / 1000), removedCustomer: customerId };
      await syncSubscription(needs, buyer.uid, cause);
    }
  }
}

interface Wanted extends CheckoutUrls {
  readonly uid: Uid;
  readonly customerId: string;
  readonly priceId: string;
  readonly trialDays: number | undefined;
}

/**
 * Keeps at most one page open per customer, because two could both be paid. The idempotency key consists of the
 * customer and the previous page. Racing requests see the same previous page, so they get the same new page, or a
 * conflict if they want a different one. After a conflict, the page that won is closed and named in the next round's
 * key. A request that loses every round uses the winner's page, which belongs to the same user and sells the same.
 */
async function openSession({ stripe, now }: BillingNeeds, wanted: Wanted): Promise<CheckoutSession | 'page_was_paid'> {
  for (let round = 1; ; round += 1) {
    const newest = await stripe.newestCheckout(wanted.customerId);
    if (newest?.isOpen === true) {
      if (isWanted(newest, wanted)) return newest;
      if ((await stripe.expireCheckout(newest.id)) === 'over') return 'page_was_paid';
    }
    const key = `checkout:${wanted.customerId}:${newest?.id ?? 'first'}`;
    try {
      return await writeOnce(key, now(), (onceKey) => stripe.createCheckout(wanted, onceKey));
    } catch (error) {
      if (!(error instanceof StripeRefusedError) || error.kind !== 'idempotency') throw error;
      if (round < ROUNDS) continue;
      const winner = await stripe.newestCheckout(wanted.customerId);
      if (winner?.isOpen !== true) throw error;
      return winner;
    }
  }
}

function isWanted(session: CheckoutSession, wanted: Wanted): boolean {
  return (
    session.successUrl === wanted.successUrl &&
    session.cancelUrl === wanted.cancelUrl &&
    session.priceId === wanted.priceId &&
    session.withTrial === (wanted.trialDays !== undefined)
  );
}

function isCustomerGone(error: unknown): boolean {
  return error instanceof StripeRefusedError && error.kind === 'missing' && error.param === 'customer';
}
