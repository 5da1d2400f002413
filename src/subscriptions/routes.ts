import * as z from 'zod';
import { defineRoute, type Route, type User } from '../http/define-route.ts';
import { ApiError } from '../http/errors.ts';
import { isoDateTime } from '../http/fields.ts';
import { withTimeLimit } from '../platform/resilience/time-limit.ts';
import type { Services } from '../platform/services.ts';
import type { LoadBilling } from './billing.ts';
import { billingUnavailable, whileStripeAnswers } from './billing-errors.ts';
import type { Buyer } from './checkout/customer.ts';
import { allowedReturnUrl, defaultReturnUrl, forStripe, type ReturnUrl } from './checkout/return-url.ts';
import { TRIAL_DAYS } from './checkout/trial-days.ts';

/** A checkout is several calls to Stripe; together they stay below what the gateway gives a request. */
const CHECKOUT_MS = 25_000;
const UrlField = z.string().max(4_096).optional();

/** What the app asks: what the user has, where to buy it, and where to manage it. */
export function subscriptionRoutes(services: Services, billing: LoadBilling): readonly Route[] {
  const { config, metrics, userDirectory } = services;
  const { billing: policy } = config;

  /** What the token says; an access token knows no address, so the user pool is asked. */
  const buyerOf = async (user: User): Promise<Buyer> => {
    const { uid, email, emailVerified = false } = user;
    if (email !== undefined) return { uid, email, emailVerified };
    const entry = await userDirectory.find(user.username);
    return { uid, email: entry?.email ?? undefined, emailVerified: entry?.emailVerified ?? false };
  };

  const returnUrl = (given: string | undefined, fallback: ReturnUrl): ReturnUrl => {
    if (given === undefined) return fallback;
    const allowed = allowedReturnUrl(given, policy);
    if (allowed === undefined) throw invalidReturnUrl();
    return allowed;
  };

  const status = defineRoute({
    method: 'GET',
    path: '/subscriptionStatus',
    auth: 'cognito',
    domain: 'subscriptions',
    summary: 'Whether the user is premium, and until when',
    description:
      'Premium is `active` or `trialing`; `status` is Stripe’s word, or `none`. Stripe is asked and given 3 s; after that ' +
      'the stored snapshot answers, with `source: snapshot`, `stale: true` and its age. A user without a stored ' +
      'customer whose token carries a verified e-mail is looked for by e-mail, at most once an hour: ' +
      '`source: stripe_recovered_email` when that found a subscription.',
    rateLimit: { requests: 60, windowSeconds: 60 },
    responses: {
      200: z.object({
        uid: z.string(),
        isPremium: z.boolean(),
        status: z.string(),
        plan: z.string().nullable(),
        currentPeriodEnd: isoDateTime.nullable(),
        cancelAtPeriodEnd: z.boolean(),
        trialUsed: z.boolean(),
        source: z.enum(['stripe', 'snapshot', 'stripe_recovered_email']),
        stale: z.literal(true).optional(),
        snapshotAgeSeconds: z.number().nullable().optional(),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller }, { log }) => {
    const { uid, email, emailVerified = false } = caller;
    const found = await (await billing()).status({ uid, email, emailVerified }, log);
    metrics.count('SubscriptionStatus', { source: found.source });
    return { status: 200, body: { uid, ...found } };
  });

  const checkout = defineRoute({
    method: 'POST',
    path: '/createSubscriptionCheckout',
    auth: 'cognito',
    domain: 'subscriptions',
    summary: 'Opens the page on which the user subscribes',
    description:
      `First-time subscribers get ${TRIAL_DAYS} days on trial. \`successUrl\` and \`cancelUrl\` may be the app’s own scheme or ` +
      'a listed web origin; left out, the app’s scheme is used. Asked again while a page is open, it is the same page. A ' +
      'user with a subscription, even one whose payment is late, is told so: it is managed in the billing portal.',
    rateLimit: { requests: 10, windowSeconds: 600 },
    body: z.strictObject({ successUrl: UrlField, cancelUrl: UrlField }),
    responses: { 200: z.object({ url: z.url(), sessionId: z.string() }) },
    errors: ['already_subscribed', 'billing_unavailable', 'invalid_return_url'],
  }).handledBy(async ({ caller, body }, { apiBaseUrl }) => {
    const urls = {
      successUrl: forStripe(returnUrl(body.successUrl, defaultReturnUrl('success', policy)), apiBaseUrl),
      cancelUrl: forStripe(returnUrl(body.cancelUrl, defaultReturnUrl('cancel', policy)), apiBaseUrl),
    };
    const { priceId } = policy;
    if (priceId === undefined) throw billingUnavailable(60, new Error('STRIPE_PRICE_ID is not set'));
    const buyer = await buyerOf(caller);
    const result = await whileStripeAnswers(() =>
      withTimeLimit(CHECKOUT_MS, async () => (await billing()).checkout(buyer, urls, priceId)),
    );
    metrics.count('SubscriptionCheckout', { outcome: result.outcome });
    switch (result.outcome) {
      case 'already_subscribed':
        throw new ApiError('already_subscribed', alreadySubscribed(result.status), {
          details: { status: result.status, manageAt: 'POST /createBillingPortalSession' },
        });
      case 'account_deleted':
        throw new ApiError('account_deleted', 'This account has been deleted.');
      case 'open':
        return { status: 200, body: { url: result.url, sessionId: result.sessionId } };
    }
  });

  const portal = defineRoute({
    method: 'POST',
    path: '/createBillingPortalSession',
    auth: 'cognito',
    domain: 'subscriptions',
    summary: 'Opens the page on which the user manages the subscription',
    description:
      'For users who have a customer at Stripe; one who never opened a checkout has none, and gets none here.',
    rateLimit: { requests: 20, windowSeconds: 600 },
    body: z.strictObject({ returnUrl: UrlField }),
    responses: { 200: z.object({ url: z.url() }) },
    errors: ['no_customer', 'billing_unavailable', 'invalid_return_url'],
  }).handledBy(async ({ caller, body }, { apiBaseUrl }) => {
    const back = forStripe(returnUrl(body.returnUrl, defaultReturnUrl(undefined, policy)), apiBaseUrl);
    const url = await whileStripeAnswers(async () => (await billing()).portal(caller.uid, back));
    if (url === undefined) {
      throw new ApiError('no_customer', 'There is no subscription to manage yet. Please subscribe first.');
    }
    return { status: 200, body: { url } };
  });

  const appReturn = defineRoute({
    method: 'GET',
    path: '/appReturn',
    auth: 'public',
    domain: 'subscriptions',
    summary: 'Leads from a page of Stripe back into the app',
    description:
      'Stripe’s pages lead to web addresses only. `to` is an address in one of the app’s own schemes, nothing else.',
    query: z.object({ to: z.string().optional() }),
    responses: { 302: z.null() },
    errors: ['invalid_return_url'],
  }).handledBy(async ({ query }) => {
    const to = query.to === undefined ? undefined : allowedReturnUrl(query.to, policy);
    if (to?.kind !== 'app') throw invalidReturnUrl();
    return { status: 302, body: null, headers: { Location: to.url, 'Cache-Control': 'no-store' } };
  });

  return [status, checkout, portal, appReturn];
}

function invalidReturnUrl(): ApiError {
  return new ApiError('invalid_return_url', 'We can’t lead you back to the app from here. Please open the app again.');
}

function alreadySubscribed(status: string): string {
  if (status === 'incomplete') return 'A payment is still under way. Please look at it under “Manage subscription”.';
  if (status === 'active' || status === 'trialing') {
    return 'You already have Premium. You can change it under “Manage subscription”.';
  }
  return 'Your last payment did not go through. Please complete it under “Manage subscription”.';
}
