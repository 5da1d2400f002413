import type Stripe from 'stripe';
import type { Uid } from '../ids.ts';
import type { StripeClient } from './stripe-client.ts';
import { StripeRefusedError } from './stripe-errors.ts';

/** A subscription as Stripe has it now, reduced to the fields we use. Times in ms since 1970. */
export interface StripeSubscription {
  readonly id: string;
  readonly customerId: string;
  /** Stripe's status; new values may appear, and grant nothing. */
  readonly status: string;
  readonly priceIds: readonly string[];
  readonly createdAt: number;
  readonly currentPeriodEnd: number | null;
  readonly cancelAtPeriodEnd: boolean;
  readonly hadTrial: boolean;
}

export interface StripeCustomer {
  readonly id: string;
  /** The owner named in the customer's metadata; the caller must verify it. */
  readonly uid: string | undefined;
}

export interface CheckoutSession {
  readonly id: string;
  /** The payment page; null once the session is over. */
  readonly url: string | null;
  readonly isOpen: boolean;
  readonly successUrl: string | null;
  readonly cancelUrl: string | null;
  readonly priceId: string | undefined;
  readonly withTrial: boolean;
}

export interface CheckoutRequest {
  readonly uid: Uid;
  readonly customerId: string;
  readonly priceId: string;
  readonly successUrl: string;
  readonly cancelUrl: string;
  readonly trialDays: number | undefined;
}

export interface StripeEventPage {
  readonly events: readonly unknown[];
  /** Cursor of the next page; absent on the last one. */
  readonly next: string | undefined;
}

/** All of the product's calls to Stripe. All throw StripeUnavailableError and StripeRefusedError. */
export interface StripeGateway {
  /** Checks that Stripe accepts the stored key, with the cheapest authenticated read. */
  ping(): Promise<void>;
  createCustomer(
    user: { readonly uid: Uid; readonly email: string | undefined },
    idempotencyKey: string,
  ): Promise<string>;
  /** Writes the owner into the customer's metadata; null removes it. Does nothing for a customer who is gone. */
  nameCustomer(customerId: string, uid: Uid | null): Promise<void>;
  /** Removes a customer that turned out to be unneeded; only for one without subscriptions. */
  removeCustomer(customerId: string): Promise<void>;
  findCustomer(customerId: string): Promise<StripeCustomer | undefined>;
  /** The newest customers with exactly that address, ten at most. */
  customersByEmail(email: string): Promise<readonly StripeCustomer[]>;
  /** All subscriptions the customer ever had; undefined when the customer no longer exists. */
  subscriptionsOf(customerId: string): Promise<readonly StripeSubscription[] | undefined>;
  /** Cancels immediately. Does nothing if it has already ended. */
  cancelSubscription(subscriptionId: string): Promise<void>;
  newestCheckout(customerId: string): Promise<CheckoutSession | undefined>;
  createCheckout(request: CheckoutRequest, idempotencyKey: string): Promise<CheckoutSession>;
  /** Closes the page, so that nobody can pay there. `over`: it had already been paid or had expired. */
  expireCheckout(sessionId: string): Promise<'expired' | 'over'>;
  /** Returns a short-lived URL to manage the subscription; undefined for a customer removed at Stripe. */
  openPortal(customerId: string, returnUrl: string): Promise<string | undefined>;
  /** An event of the last 30 days as Stripe would send it; undefined for an unknown one. */
  event(eventId: string): Promise<unknown>;
  /** Events of these types since that time (ms), newest first. */
  events(since: number, types: readonly string[], limit: number, after: string | undefined): Promise<StripeEventPage>;
}

const CUSTOMERS_BY_EMAIL = 10;
/** More than anybody ever had; Stripe's largest page. */
const SUBSCRIPTIONS = 100;

export function createStripeGateway(client: StripeClient): StripeGateway {
  return {
    async ping() {
      await client.read('balance', (stripe, options) => stripe.balance.retrieve({}, options));
    },

    async createCustomer({ uid, email }, idempotencyKey) {
      const fields = { metadata: { uid }, ...(email === undefined ? {} : { email }) };
      const { id } = await client.write(
        'create_customer',
        (stripe, options) => stripe.customers.create(fields, options),
        idempotencyKey,
      );
      return id;
    },

    async nameCustomer(customerId, uid) {
      await unlessMissing(
        client.write('name_customer', (stripe, options) =>
          stripe.customers.update(customerId, { metadata: { uid: uid ?? '' } }, options),
        ),
      );
    },

    async removeCustomer(customerId) {
      await unlessMissing(
        client.write('remove_customer', (stripe, options) => stripe.customers.del(customerId, {}, options)),
      );
    },

    async findCustomer(customerId) {
      const found = await unlessMissing(
        client.read('find_customer', (stripe, options) => stripe.customers.retrieve(customerId, {}, options)),
      );
      return found === undefined || found.deleted === true ? undefined : toCustomer(found);
    },

    async customersByEmail(email) {
      const { data } = await client.read('customers_by_email', (stripe, options) =>
        stripe.customers.list({ email, limit: CUSTOMERS_BY_EMAIL }, options),
      );
      return data.map(toCustomer);
    },

    async subscriptionsOf(customerId) {
      const found = await unlessMissing(
        client.read('subscriptions_of', (stripe, options) =>
          stripe.subscriptions.list({ customer: customerId, status: 'all', limit: SUBSCRIPTIONS }, options),
        ),
      );
      return found?.data.map(toSubscription);
    },

    async cancelSubscription(subscriptionId) {
      await unlessMissing(
        client.write('cancel_subscription', (stripe, options) =>
          stripe.subscriptions.cancel(subscriptionId, {}, options),
        ),
      );
    },

    async newestCheckout(customerId) {
      const { data } = await client.read('newest_checkout', (stripe, options) =>
        stripe.checkout.sessions.list({ customer: customerId, limit: 1 }, options),
      );
      const [newest] = data;
      return newest === undefined ? undefined : toCheckout(newest);
    },

    async createCheckout(request, idempotencyKey) {
      const session = await client.write(
        'create_checkout',
        (stripe, options) => stripe.checkout.sessions.create(checkoutFields(request), options),
        idempotencyKey,
      );
      return toCheckout(session);
    },

    async expireCheckout(sessionId) {
      try {
        await client.write('expire_checkout', (stripe, options) =>
          stripe.checkout.sessions.expire(sessionId, {}, options),
        );
        return 'expired';
      } catch (error) {
        if (!(error instanceof StripeRefusedError)) throw error;
        return 'over';
      }
    },

    async openPortal(customerId, returnUrl) {
      const session = await unlessMissing(
        client.write('open_portal', (stripe, options) =>
          stripe.billingPortal.sessions.create({ customer: customerId, return_url: returnUrl }, options),
        ),
      );
      return session?.url;
    },

    event: (eventId) =>
      unlessMissing(client.read('event', (stripe, options) => stripe.events.retrieve(eventId, {}, options))),

    async events(since, types, limit, after) {
      const { data, has_more: hasMore } = await client.read('events', (stripe, options) =>
        stripe.events.list(
          {
            created: { gte: Math.floor(since / 1000) },
            types: [...types],
            limit,
            ...(after === undefined ? {} : { starting_after: after }),
          },
          options,
        ),
      );
      return { events: data, next: hasMore ? data.at(-1)?.id : undefined };
    },
  };
}

async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StripeRefusedError && error.kind === 'missing') return undefined;
    throw error;
  }
}

function checkoutFields(request: CheckoutRequest): Stripe.Checkout.SessionCreateParams {
  const { uid, customerId, priceId, successUrl, cancelUrl, trialDays } = request;
  const trial =
    trialDays === undefined
      ? {}
      : {
          trial_period_days: trialDays,
          trial_settings: { end_behavior: { missing_payment_method: 'cancel' as const } },
        };
  return {
    mode: 'subscription',
    customer: customerId,
    client_reference_id: uid,
    line_items: [{ price: priceId, quantity: 1 }],
    success_url: successUrl,
    cancel_url: cancelUrl,
    allow_promotion_codes: true,
    payment_method_collection: 'always',
    // A session's metadata is not copied to the subscription, so both carry it.
    metadata: { uid, price: priceId, trial: String(trialDays !== undefined) },
    subscription_data: { metadata: { uid }, ...trial },
  };
}

function toCustomer({ id, metadata }: Stripe.Customer): StripeCustomer {
  const uid = metadata['uid'];
  return { id, uid: uid === '' ? undefined : uid };
}

function toSubscription(subscription: Stripe.Subscription): StripeSubscription {
  const { id, customer, status, items, created } = subscription;
  const ends = items.data.map((item) => item.current_period_end);
  return {
    id,
    customerId: typeof customer === 'string' ? customer : customer.id,
    status,
    priceIds: items.data.map(({ price }) => price.id),
    createdAt: created * 1000,
    currentPeriodEnd: ends.length === 0 ? null : Math.max(...ends) * 1000,
    // Flexible billing schedules an end with `cancel_at` alone.
    cancelAtPeriodEnd: subscription.cancel_at_period_end || subscription.cancel_at !== null,
    hadTrial: subscription.trial_start !== null,
  };
}

function toCheckout(session: Stripe.Checkout.Session): CheckoutSession {
  const { id, url, status, success_url: successUrl, cancel_url: cancelUrl, metadata } = session;
  return {
    id,
    url,
    isOpen: status === 'open' && url !== null,
    successUrl,
    cancelUrl,
    priceId: metadata?.['price'],
    withTrial: metadata?.['trial'] === 'true',
  };
}
