import type { Uid } from '../../platform/ids.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import { isLive, usedTrial } from './subscription.ts';

/**
 * For account deletion: cancels what is paid for and anonymises what remains. Every step can be repeated. The user's
 * own records go last (with all others of the account), so that a deletion that failed half-way finds what is left to
 * do.
 *
 * @param email the user's address, if any: its hash records that the trial was used
 * @throws StripeUnavailableError: an account is not deleted while its subscription continues
 */
export async function endBilling(needs: BillingNeeds, uid: Uid, email: string | undefined): Promise<void> {
  const { store, stripe, now } = needs;
  const billing = await store.readBilling(uid);
  let trialUsed = billing.trialUsedAt !== null;
  for (const customerId of billing.customerIds) {
    // First the page on which someone might still pay, then what has been paid for.
    const checkout = await stripe.newestCheckout(customerId);
    if (checkout?.isOpen === true) await stripe.expireCheckout(checkout.id);
    const subscriptions = (await stripe.subscriptionsOf(customerId)) ?? [];
    trialUsed ||= subscriptions.some(usedTrial);
    for (const { id } of subscriptions.filter(isLive)) await stripe.cancelSubscription(id);
    await stripe.nameCustomer(customerId, null);
  }
  if (trialUsed && email !== undefined) await store.markTrial(await needs.hashEmail(email), now());
  for (const customerId of [...billing.customerIds, ...billing.formerCustomerIds]) {
    await store.anonymiseMapping(customerId, now());
  }
}
