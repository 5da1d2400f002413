import type { CheckoutSession, Customer, StoredEvent, StripeState, Subscription } from './state.ts';

/** The API version of the product's SDK. */
export const API_VERSION = '2026-10-28.endive';
/** The only price. */
export const LOCAL_PRICE = { id: 'price_local_monthly', cents: 499, currency: 'eur', days: 30 } as const;
const DAY = 24 * 60 * 60;

export const days = (count: number) => count * DAY;

export function customerObject(customer: Customer) {
  const { id, email, metadata, created } = customer;
  if (customer.deleted) return { id, object: 'customer', deleted: true };
  return { id, object: 'customer', created, email, livemode: false, metadata, name: null, balance: 0, currency: null };
}

function priceObject(id: string) {
  return {
    id,
    object: 'price',
    active: true,
    currency: LOCAL_PRICE.currency,
    unit_amount: LOCAL_PRICE.cents,
    type: 'recurring',
    recurring: { interval: 'month', interval_count: 1, usage_type: 'licensed' },
    product: 'prod_local_premium',
    metadata: {},
  };
}

export function subscriptionObject(subscription: Subscription) {
  const { id, customer, status, created, metadata, price } = subscription;
  const item = {
    id: `si_${id.slice(4)}`,
    object: 'subscription_item',
    subscription: id,
    created,
    current_period_start: subscription.periodStart,
    current_period_end: subscription.periodEnd,
    price: priceObject(price),
    quantity: 1,
    metadata: {},
  };
  return {
    ...{ id, object: 'subscription', customer, status, created, metadata, livemode: false },
    billing_mode: { type: 'flexible' },
    // Flexible billing sets `cancel_at` for a scheduled end, and leaves `cancel_at_period_end` unchanged.
    cancel_at: subscription.cancelAtPeriodEnd ? subscription.periodEnd : null,
    cancel_at_period_end: false,
    canceled_at: subscription.canceledAt,
    ended_at: subscription.endedAt,
    start_date: created,
    trial_start: subscription.trialStart,
    trial_end: subscription.trialEnd,
    items: { object: 'list', data: [item], has_more: false, url: `/v1/subscription_items?subscription=${id}` },
  };
}

export function sessionObject(session: CheckoutSession, base: string) {
  const { id, customer, status, metadata, created, subscription } = session;
  return {
    ...{ id, object: 'checkout.session', mode: 'subscription', customer, status, metadata, created, subscription },
    client_reference_id: session.clientReferenceId,
    success_url: session.successUrl,
    cancel_url: session.cancelUrl,
    expires_at: session.expiresAt,
    allow_promotion_codes: session.allowPromotionCodes,
    payment_status: status === 'complete' ? (session.trialDays === null ? 'paid' : 'no_payment_required') : 'unpaid',
    livemode: false,
    url: status === 'open' ? `${base}/c/pay/${id}` : null,
  };
}

export function invoiceObject(subscription: Subscription, id: string, paid: boolean, at: number) {
  const cents = subscription.status === 'trialing' ? 0 : LOCAL_PRICE.cents;
  return {
    ...{ id, object: 'invoice', customer: subscription.customer, created: at, currency: LOCAL_PRICE.currency },
    status: paid ? 'paid' : 'open',
    amount_due: cents,
    amount_paid: paid ? cents : 0,
    attempt_count: subscription.retries + 1,
    livemode: false,
    metadata: {},
    parent: {
      type: 'subscription_details',
      subscription_details: { subscription: subscription.id, metadata: subscription.metadata },
    },
  };
}

export function eventObject(event: StoredEvent) {
  return {
    ...{ id: event.id, object: 'event', api_version: API_VERSION, created: event.created, livemode: false },
    ...{ type: event.type, data: { object: event.object }, pending_webhooks: 1, request: { id: null } },
  };
}

/** Returns a page of a list like Stripe: newest first, with `limit` and `starting_after`. */
export function listObject<T extends { readonly id: string }>(
  newestFirst: readonly T[],
  { limit = 10, startingAfter }: { readonly limit?: number; readonly startingAfter?: string | undefined },
  show: (one: T) => unknown,
  url: string,
) {
  const from = startingAfter === undefined ? 0 : newestFirst.findIndex(({ id }) => id === startingAfter) + 1;
  const page = newestFirst.slice(from, from + limit);
  return { object: 'list', url, has_more: from + limit < newestFirst.length, data: page.map(show) };
}

export function newestFirst<T extends { readonly created: number }>(list: readonly T[]): readonly T[] {
  return list
    .map((one, at) => ({ one, at }))
    .sort((a, b) => b.one.created - a.one.created || b.at - a.at)
    .map(({ one }) => one);
}

export type { StripeState };
