import * as z from 'zod';
import type { User } from '../http/caller.ts';
import { defineRoute, type Route } from '../http/define-route.ts';
import { ApiError } from '../http/errors.ts';
import { isoDateTime } from '../http/fields.ts';
import { withTimeLimit } from '../platform/resilience/time-limit.ts';
import type { Services } from '../platform/services.ts';
import type { LoadBilling } from './billing.ts';
import { billingUnavailable, whileStripeAnswers } from './billing-errors.ts';
import type { Buyer } from './checkout/customer.ts';
import { allowedReturnUrl, defaultReturnUrl, forStripe, type ReturnUrl } from './checkout/return-url.ts';
import { TRIAL_DAYS } from './checkout/trial-days.ts';

/** A checkout makes several calls to Stripe; together they stay below the gateway's time limit. */
const CHECKOUT_MS = 25_000;
const UrlField = z.string().max(4_096).optional();

/** Routes for subscription status, checkout and billing portal. */
export function subscriptionRoutes(services: Services, billing: LoadBilling): readonly Route[] {
  const { config, metrics, userDirectory } = services;
  const { billing: policy } = config;

  /** Reads the token's claims; an access token has no e-mail address, so the user pool is asked. */
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
      'Premium means `active` or `trialing`; `status` is Stripe’s, or `none`. Stripe gets 3 s to answer; after that, ' +
      'the stored snapshot is returned, with `source: snapshot`, `stale: true` and its age. For a user without a ' +
      'stored customer whose token carries a verified e-mail, the customer is searched by e-mail, at most once an ' +
      'hour: `source: stripe_recovered_email` when that found one.',
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
    summary: 'Opens the checkout page',
    description:
      `First-time subscribers get a trial of ${TRIAL_DAYS} days. \`successUrl\` and \`cancelUrl\` may use the app’s ` +
      'own scheme or a listed web origin; without them, the app’s scheme is used. While a page is open, the same ' +
      'page is returned. A user who has a subscription, even one whose payment is late, gets `already_subscribed` ' +
      'and manages it in the billing portal.',
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
    summary: 'Opens the billing portal',
    description:
      'For users with a customer at Stripe. A user who never opened a checkout has none, and this does not create one.',
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
    summary: 'Redirects from a page of Stripe to the app',
    description: 'Stripe’s pages link to web addresses only. `to` must be an address in one of the app’s own schemes.',
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
