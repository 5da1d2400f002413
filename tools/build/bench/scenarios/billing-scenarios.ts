import * as z from 'zod';
import { subscriptionObject } from '../../../run/local-stack/stripe/objects.ts';
import { newId, type Subscription } from '../../../run/local-stack/stripe/state.ts';
import type { StripeStandIn } from '../../../run/local-stack/stripe/stripe-stand-in.ts';
import type { Ask, Scenario } from './scenario.ts';

export interface Subscriber {
  readonly user: Readonly<Record<string, string>>;
  readonly subscription: Subscription;
}

const Opened = z.object({ url: z.string(), sessionId: z.string() });

/** Creates a user who has paid and whose snapshot is stored. */
export async function makeSubscriber(ask: Ask, stripe: StripeStandIn, user: Subscriber['user']): Promise<Subscriber> {
  const headers = { ...user, 'Content-Type': 'application/json' };
  const opened = await ask('/createSubscriptionCheckout', { method: 'POST', headers, body: '{}' });
  const { url, sessionId } = Opened.parse(await opened.json());
  await fetch(`${url}/pay`, { method: 'POST', redirect: 'manual' });
  await ask('/subscriptionStatus', { headers: user });
  const id = stripe.state.find('sessions', sessionId)?.subscription ?? '';
  const subscription = stripe.state.find('subscriptions', id);
  if (subscription === undefined) throw new Error('the payment created no subscription');
  return { user, subscription };
}

/** Webhooks, and the status with Stripe up and down. */
export function billingScenarios(stripe: StripeStandIn, next: () => Subscriber): readonly Scenario[] {
  const eventOf = (subscription: Subscription) => ({
    id: newId('evt'),
    type: 'customer.subscription.updated',
    created: stripe.state.now(),
    object: subscriptionObject(subscription),
  });
  const deliver = (event: ReturnType<typeof eventOf>) => {
    const { body, headers } = stripe.webhooks.sign(event);
    return { path: '/stripeWebhook', init: { method: 'POST', headers: { ...headers }, body } };
  };
  const change = () => {
    const { id } = next().subscription;
    const now = stripe.state.find('subscriptions', id);
    if (now === undefined) throw new Error('no such subscription');
    const changed: Subscription = { ...now, status: now.status === 'active' ? 'past_due' : 'active' };
    stripe.state.save('subscriptions', changed);
    return changed;
  };
  const once = eventOf(next().subscription);
  const status = (route: string): Scenario => ({
    route,
    request: () => ({ path: '/subscriptionStatus', init: { headers: next().user } }),
    expect: [200, 429],
  });
  return [
    { route: 'POST /stripeWebhook, a change', request: () => deliver(eventOf(change())), expect: [200] },
    { route: 'POST /stripeWebhook, nothing new', request: () => deliver(eventOf(next().subscription)), expect: [200] },
    { route: 'POST /stripeWebhook, a duplicate', request: () => deliver(once), expect: [200, 503] },
    status('GET /subscriptionStatus, Stripe answers'),
    {
      ...status('GET /subscriptionStatus, Stripe down'),
      async during(measure) {
        stripe.setFaults([{ status: 500 }]);
        try {
          return await measure();
        } finally {
          stripe.setFaults([]);
        }
      },
    },
  ];
}
