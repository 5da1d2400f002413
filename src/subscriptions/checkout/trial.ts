import type { BillingNeeds } from '../billing-needs.ts';
import type { BillingRecord } from '../billing-record.ts';
import { usedTrial } from '../status/subscription.ts';
import type { Buyer } from './customer.ts';

/**
 * Checks whether this user is a first-time subscriber. Three sources can rule out a trial: the user's own record, the
 * mark that a deleted account leaves under its address, and Stripe, which knows every subscription of every customer
 * with that address, whatever happened to our records.
 *
 * @throws StripeUnavailableError: a trial is never granted on a guess
 */
export async function mayTry(needs: BillingNeeds, { email }: Buyer, billing: BillingRecord): Promise<boolean> {
  if (billing.trialUsedAt !== null) return false;
  if (email === undefined) return true;
  if (await needs.store.hasTrialMark(await needs.hashEmail(email))) return false;
  const customers = await needs.stripe.customersByEmail(email);
  const subscriptions = await Promise.all(customers.map(({ id }) => needs.stripe.subscriptionsOf(id)));
  return !subscriptions.flatMap((list) => list ?? []).some(usedTrial);
}
