import { isUid, type Uid } from '../../platform/ids.ts';
import type { StripeCustomer, StripeSubscription } from '../../platform/stripe/stripe-gateway.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import { bestSubscription } from './subscription.ts';

/** Who the user is to Stripe; the address is one that Cognito has verified. */
export interface VerifiedUser {
  readonly uid: Uid;
  readonly email: string;
}

interface Candidate {
  readonly customerId: string;
  /** The user who had it and does not exist any more. */
  readonly formerOwner: string | undefined;
  readonly isOwn: boolean;
  readonly subscriptions: readonly StripeSubscription[];
}

/**
 * Finds the user's customer by e-mail and makes it theirs: for a user whose billing record was lost, or who comes back
 * after deleting an account. Never one that belongs to somebody else who still exists.
 *
 * The caller brings the snapshot up to date and ends the events that were kept for the customer.
 *
 * @returns the customer adopted, if any
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

/** The best subscription decides; without any, a customer that was the user's own already. */
function choose(candidates: readonly Candidate[]): Candidate | undefined {
  const best = bestSubscription(candidates.flatMap(({ subscriptions }) => subscriptions));
  return candidates.find(({ customerId }) => customerId === best?.customerId) ?? candidates.find(({ isOwn }) => isOwn);
}

async function candidate(needs: BillingNeeds, uid: Uid, customer: StripeCustomer): Promise<Candidate | undefined> {
  const [owner, subscriptions] = await Promise.all([
    needs.store.readOwner(customer.id),
    needs.stripe.subscriptionsOf(customer.id),
  ]);
  // Our own record of whose it is counts more than what the customer says of itself.
  const named = owner.kind === 'user' ? owner.uid : owner.kind === 'unknown' ? customer.uid : undefined;
  const isOwn = named === uid;
  if (named !== undefined && !isOwn && isUid(named) && (await needs.userDirectory.exists(named))) return undefined;
  const formerOwner = isOwn ? undefined : named;
  return { customerId: customer.id, formerOwner, isOwn, subscriptions: subscriptions ?? [] };
}
