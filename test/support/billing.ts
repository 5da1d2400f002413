import { LOCAL_PRICE, subscriptionObject } from '../../tools/run/local-stack/stripe/objects.ts';
import { type Customer, newId, type StoredEvent, type Subscription } from '../../tools/run/local-stack/stripe/state.ts';
import type { Answer, Backend } from './backend.ts';
import { newUser } from './tokens.ts';

export type TestUser = ReturnType<typeof newUser>;

/** The actions of people and Stripe around the billing routes. */
export function billing(backend: Backend) {
  const { stripe } = backend;

  const deliver = (event: StoredEvent): Promise<Answer> => backend.call('/stripeWebhook', stripe.webhooks.sign(event));
  const events = (from = 0) => stripe.state.all('events').slice(from);
  const status = async ({ headers }: Pick<TestUser, 'headers'>) =>
    (await backend.call('/subscriptionStatus', { headers })).body;
  const checkout = (user: Pick<TestUser, 'headers'>, body: object = {}) =>
    backend.call('/createSubscriptionCheckout', { headers: user.headers, body });

  /** Presses a button of the checkout page. */
  const press = async (url: string, choice: 'pay' | 'decline' | 'cancel') =>
    fetch(`${url}/${choice}`, { method: 'POST', redirect: 'manual' });

  /** Delivers all events since then, once and in order. */
  const deliverSince = async (from: number): Promise<Answer[]> => {
    const answers: Answer[] = [];
    for (const event of events(from)) answers.push(await deliver(event));
    return answers;
  };

  /** An event that no change at the local Stripe has caused. */
  const makeEvent = (type: string, object: unknown): StoredEvent => {
    const event = { id: newId('evt'), type, created: stripe.state.now(), object };
    stripe.state.save('events', event);
    return event;
  };

  return {
    deliver,
    makeEvent,
    subscriptionEvent: (type: string, one: Subscription) => makeEvent(type, subscriptionObject(one)),
    /** A customer not created by our checkout. */
    customerAtStripe({ email = null, uid }: { readonly email?: string | null; readonly uid?: string } = {}): Customer {
      const metadata = uid === undefined ? {} : { uid };
      const customer: Customer = {
        id: newId('cus'),
        email,
        metadata,
        created: 1_700_000_000,
        deleted: false,
        card: 'pays',
      };
      stripe.state.save('customers', customer);
      return customer;
    },
    subscriptionAtStripe({ id }: Pick<Customer, 'id'>, status: Subscription['status'], ageSeconds = 0): Subscription {
      const now = stripe.state.now();
      const subscription: Subscription = {
        ...{ id: newId('sub'), customer: id, status, price: LOCAL_PRICE.id, metadata: {}, created: now - ageSeconds },
        ...{ periodStart: now, periodEnd: now + LOCAL_PRICE.days * 86_400, cancelAtPeriodEnd: false },
        ...{ trialStart: null, trialEnd: null, trialEndTold: false },
        ...{ canceledAt: null, endedAt: null, retryAt: null, retries: 0 },
      };
      stripe.state.save('subscriptions', subscription);
      return subscription;
    },
    deliverSince,
    events,
    status,
    checkout,
    press,
    /** A user who has paid, with no event delivered yet. */
    async subscribed(user: TestUser = newUser()): Promise<TestUser & { readonly subscription: Subscription }> {
      const { body } = await checkout(user);
      await press(body.url, 'pay');
      const session = stripe.state.find('sessions', body.sessionId);
      const subscription = stripe.state.find('subscriptions', session?.subscription ?? '');
      if (subscription === undefined) throw new Error('the payment made no subscription');
      return { ...user, subscription };
    },
    subscription(id: string): Subscription {
      const found = stripe.state.find('subscriptions', id);
      if (found === undefined) throw new Error('no such subscription');
      return found;
    },
    customerOf({ uid }: Pick<TestUser, 'uid'>) {
      const found = stripe.state.all('customers').filter((one) => one.metadata['uid'] === uid);
      return found[0];
    },
  };
}
