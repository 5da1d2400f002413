import { isUid, type Uid } from '../../platform/ids.ts';
import type { StripeCustomer, StripeSubscription } from '../../platform/stripe/stripe-gateway.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import { bestSubscription } from './subscription.ts';

/** A user whose e-mail address Cognito has verified. */
export interface VerifiedUser {
  readonly uid: Uid;
  readonly email: string;
}

interface Candidate {
  readonly customerId: string;
  /** The previous owner, who no longer exists. */
  readonly formerOwner: string | undefined;
  readonly isOwn: boolean;
  readonly subscriptions: readonly StripeSubscription[];
}

/**
 * Finds the user's customer by e-mail and assigns it to them: for a user whose billing record was lost, or who returns
 * after deleting an account. Never takes a customer from another user who still exists.
 *
 * The caller syncs the snapshot and settles the events kept for the customer.
 *
 * @returns the adopted customer, if any
 */
export async function adoptByEmail(needs: BillingNeeds, user: VerifiedUser): Promise<string | undefined> {
  const customers = await needs.stripe.customersByEmail(user.email);
  const candidates = (await Promise.all(customers.map((customer) => candidate(needs, user.uid, customer)))).flatMap(
    (one) => one ?? [],
  );
  const chosen = choose(candidates);
  if (chosen === undefined) return undefined;
  const { customerId, formerOwner } = chosen;
  const mapping = await needs.store.mapCustomer(
    { uid: user.uid, customerId, besideAnother: false, ...(formerOwner === undefined ? {} : { formerOwner }) },
    needs.now(),
  );
  if (mapping.outcome !== 'mapped') return undefined;
  await needs.stripe.nameCustomer(customerId, user.uid);
  return customerId;
}

/** Picks the customer with the best subscription; without any, one that was already the user's own. */
function choose(candidates: readonly Candidate[]): Candidate | undefined {
  const best = bestSubscription(candidates.flatMap(({ subscriptions }) => subscriptions));
  return candidates.find(({ customerId }) => customerId === best?.customerId) ?? candidates.find(({ isOwn }) => isOwn);
}

async function candidate(needs: BillingNeeds, uid: Uid, customer: StripeCustomer): Promise<Candidate | undefined> {
  const [owner, subscriptions] = await Promise.all([
    needs.store.readOwner(customer.id),
    needs.stripe.subscriptionsOf(customer.id),
  ]);
  // Our own record of the owner takes precedence over the customer's metadata.
  const named = owner.kind === 'user' ? owner.uid : owner.kind === 'unknown' ? customer.uid : undefined;
  const isOwn = named === uid;
  if (named !== undefined && !isOwn && isUid(named) && (await needs.userDirectory.exists(named))) return undefined;
  const formerOwner = isOwn ? undefined : named;
  return { customerId: customer.id, formerOwner, isOwn, subscriptions: subscriptions ?? [] };
}
