import type { Uid } from '../../platform/ids.ts';
import type { BillingNeeds } from '../billing-needs.ts';
import type { BillingRecord } from '../billing-record.ts';
import { adoptByEmail } from '../status/recovery.ts';
import { writeOnce } from './idempotent-write.ts';

/** The user who subscribes. */
export interface Buyer {
  readonly uid: Uid;
  /** Undefined when unknown. */
  readonly email: string | undefined;
  readonly emailVerified: boolean;
}

export type CustomerOutcome = { readonly customerId: string } | 'account_deleted';

/**
 * Returns the user's one customer at Stripe: the stored one, else one found by e-mail, else a new one. Racing requests
 * create it under one idempotency key, which gives one customer. If there are two all the same, because the address
 * changed in between, the stored mapping decides and the other customer is removed.
 *
 * @throws StripeUnavailableError
 */
export async function ensureCustomer(
  needs: BillingNeeds,
  buyer: Buyer,
  billing: BillingRecord,
): Promise<CustomerOutcome> {
  if (billing.customerId !== null) return { customerId: billing.customerId };
  const { uid, email, emailVerified } = buyer;
  if (email !== undefined && emailVerified && billing.formerCustomerIds.length === 0) {
    const adopted = await adoptByEmail(needs, { uid, email });
    if (adopted !== undefined) return { customerId: adopted };
  }
  const key = await creationKey(needs, buyer, billing);
  const created = await writeOnce(key, needs.now(), (onceKey) => needs.stripe.createCustomer({ uid, email }, onceKey));
  const mapping = await needs.store.mapCustomer({ uid, customerId: created, besideAnother: false }, needs.now());
  switch (mapping.outcome) {
    case 'mapped':
      return { customerId: created };
    case 'has_customer':
      await needs.stripe.removeCustomer(created);
      return { customerId: mapping.customerId };
    case 'account_deleted':
      await needs.stripe.removeCustomer(created);
      return 'account_deleted';
    case 'taken':
      throw new Error('a new customer already belongs to someone');
  }
}

/** A repeated request gets the first one's customer; after a customer was removed at Stripe, the next one is new. */
async function creationKey(needs: BillingNeeds, { uid, email }: Buyer, billing: BillingRecord): Promise<string> {
  const address = email === undefined ? 'none' : await needs.hashEmail(email);
  return `customer:${uid}:${billing.formerCustomerIds.at(-1) ?? 'first'}:${address}`;
}
