import { type Context, Hono } from 'hono';
import type * as z from 'zod';
import { IdempotencyKeys, type StoredAnswer } from './idempotency.ts';
import type { StripeLifecycle } from './lifecycle.ts';
import { customerObject, eventObject, listObject, newestFirst, sessionObject, subscriptionObject } from './objects.ts';
import {
  CustomerFields,
  CustomerList,
  EventList,
  Nothing,
  noSuch,
  PortalFields,
  readFields,
  SessionFields,
  SessionList,
  StripeApiError,
  SubscriptionList,
  SubscriptionUpdate,
} from './parameters.ts';
import { type Metadata, newId, type StripeState } from './state.ts';

const SESSION_LIFE = 24 * 60 * 60;
const SHORTEST_SESSION_LIFE = 30 * 60;

export interface ApiNeeds {
  readonly state: StripeState;
  readonly lifecycle: StripeLifecycle;
  readonly secretKey: () => string;
  /** Returns this server's URL. */
  readonly base: () => string;
  /** Whether the next write should fail while being processed, so that its idempotency key records the failure. */
  readonly failsInside: () => boolean;
}

/** The part of Stripe's API that the product uses, with Stripe's errors for the rest. */
export function stripeApi(needs: ApiNeeds): Hono {
  const { state, lifecycle } = needs;
  const keys = new IdempotencyKeys();
  const api = new Hono();

  api.onError((error, c) => {
    if (error instanceof StripeApiError) return c.json(error.body, error.status);
    const message = error instanceof Error ? error.message : String(error);
    return c.json({ error: { type: 'api_error', message } }, 500);
  });
  api.use(async (c, next) => {
    if (c.req.header('authorization') !== `Bearer ${needs.secretKey()}`) {
      throw new StripeApiError(401, 'Invalid API Key provided');
    }
    c.header('Request-Id', newId('req'));
    await next();
  });

  const read = <T>(c: Context, schema: z.ZodType<T>): T => readFields(new URL(c.req.url).search.slice(1), schema);
  const write = <T>(path: string, schema: z.ZodType<T>, execute: (fields: T, id: string) => unknown) => {
    api.post(path, async (c) => {
      const text = await c.req.text();
      const { status, body, replayed } = await keys.answer(
        c.req.header('idempotency-key'),
        `${c.req.path}?${text}`,
        async (): Promise<StoredAnswer> => {
          const fields = readFields(text, schema);
          if (needs.failsInside())
            return { status: 500, body: { error: { type: 'api_error', message: 'told to fail' } } };
          return { status: 200, body: execute(fields, c.req.param('id') ?? '') };
        },
      );
      if (replayed) c.header('Idempotent-Replayed', 'true');
      return c.json(body, status === 200 ? 200 : 500);
    });
  };
  const customerOf = (id: string, param = 'customer') => {
    const customer = state.find('customers', id);
    if (customer === undefined || customer.deleted) throw noSuch('customer', id, param);
    return customer;
  };
  const sessionOf = (id: string) => {
    const session = state.find('sessions', id);
    if (session === undefined) throw noSuch('checkout.session', id, 'id');
    return session;
  };
  const subscriptionOf = (id: string) => {
    const subscription = state.find('subscriptions', id);
    if (subscription === undefined) throw noSuch('subscription', id, 'id');
    return subscription;
  };

  api.get('/balance', (c) => {
    read(c, Nothing);
    return c.json({ object: 'balance', available: [], pending: [], livemode: false });
  });

  write('/customers', CustomerFields, ({ email = null, metadata = {} }) => {
    const created = state.now();
    const customer = {
      id: newId('cus'),
      email,
      metadata: withoutEmpty({}, metadata),
      created,
      deleted: false,
      card: 'none',
    } as const;
    state.save('customers', customer);
    return customerObject(customer);
  });
  api.get('/customers', (c) => {
    const { email, limit, starting_after: startingAfter } = read(c, CustomerList);
    const found = state.all('customers').filter((one) => !one.deleted && (email === undefined || one.email === email));
    return c.json(
      listObject(
        newestFirst(found),
        { ...(limit === undefined ? {} : { limit }), startingAfter },
        customerObject,
        '/v1/customers',
      ),
    );
  });
  api.get('/customers/:id', (c) => {
    const customer = state.find('customers', c.req.param('id'));
    if (customer === undefined) throw noSuch('customer', c.req.param('id'), 'id');
    return c.json(customerObject(customer));
  });
  write('/customers/:id', CustomerFields, ({ email, metadata = {} }, id) => {
    const customer = customerOf(id, 'id');
    const changed = {
      ...customer,
      metadata: withoutEmpty(customer.metadata, metadata),
      ...(email === undefined ? {} : { email }),
    };
    state.save('customers', changed);
    return customerObject(changed);
  });
  api.delete('/customers/:id', (c) => c.json(customerObject(lifecycle.remove(customerOf(c.req.param('id'), 'id')))));

  write('/checkout/sessions', SessionFields, (fields) => {
    const { id: customer } = customerOf(fields.customer);
    const created = state.now();
    const expiresAt = fields.expires_at ?? created + SESSION_LIFE;
    if (expiresAt < created + SHORTEST_SESSION_LIFE || expiresAt > created + SESSION_LIFE) {
      throw new StripeApiError(400, 'The `expires_at` timestamp must be between 30 minutes and 24 hours from now.', {
        param: 'expires_at',
      });
    }
    const session = {
      id: newId('cs_test'),
      customer,
      clientReferenceId: fields.client_reference_id ?? null,
      status: 'open',
      successUrl: fields.success_url,
      cancelUrl: fields.cancel_url ?? null,
      price: fields.line_items[0].price,
      trialDays: fields.subscription_data?.trial_period_days ?? null,
      metadata: fields.metadata ?? {},
      subscriptionMetadata: fields.subscription_data?.metadata ?? {},
      allowPromotionCodes: fields.allow_promotion_codes ?? false,
      created,
      expiresAt,
      subscription: null,
      lastError: null,
    } as const;
    state.save('sessions', session);
    return sessionObject(session, needs.base());
  });
  api.get('/checkout/sessions', (c) => {
    const { customer, status, limit, starting_after: startingAfter } = read(c, SessionList);
    if (customer !== undefined) customerOf(customer);
    const found = state
      .all('sessions')
      .filter(
        (one) =>
          (customer === undefined || one.customer === customer) && (status === undefined || one.status === status),
      );
    const show = (one: (typeof found)[number]) => sessionObject(one, needs.base());
    return c.json(
      listObject(
        newestFirst(found),
        { ...(limit === undefined ? {} : { limit }), startingAfter },
        show,
        '/v1/checkout/sessions',
      ),
    );
  });
  api.get('/checkout/sessions/:id', (c) => c.json(sessionObject(sessionOf(c.req.param('id')), needs.base())));
  write('/checkout/sessions/:id/expire', Nothing, (_fields, id) => {
    const session = sessionOf(id);
    if (session.status !== 'open') {
      throw new StripeApiError(
        400,
        `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${session.status}\`.`,
      );
    }
    return sessionObject(lifecycle.expire(session), needs.base());
  });

  api.get('/subscriptions', (c) => {
    const { customer, status, price, limit, starting_after: startingAfter } = read(c, SubscriptionList);
    // A removed customer's subscriptions can still be listed; an unknown customer is an error.
    if (customer !== undefined && state.find('customers', customer) === undefined)
      throw noSuch('customer', customer, 'customer');
    const found = state.all('subscriptions').filter((one) => {
      if (customer !== undefined && one.customer !== customer) return false;
      if (price !== undefined && one.price !== price) return false;
      if (status === undefined) return one.status !== 'canceled';
      if (status === 'all') return true;
      return status === 'ended' ? one.endedAt !== null : one.status === status;
    });
    return c.json(
      listObject(
        newestFirst(found),
        { ...(limit === undefined ? {} : { limit }), startingAfter },
        subscriptionObject,
        '/v1/subscriptions',
      ),
    );
  });
  api.get('/subscriptions/:id', (c) => c.json(subscriptionObject(subscriptionOf(c.req.param('id')))));
  write('/subscriptions/:id', SubscriptionUpdate, ({ cancel_at_period_end: end }, id) => {
    const subscription = subscriptionOf(id);
    return subscriptionObject(end === undefined ? subscription : lifecycle.scheduleEnd(subscription, end));
  });
  api.delete('/subscriptions/:id', (c) => {
    const subscription = subscriptionOf(c.req.param('id'));
    if (subscription.status === 'canceled') throw noSuch('subscription', subscription.id, 'id');
    return c.json(subscriptionObject(lifecycle.cancel(subscription)));
  });

  write('/billing_portal/sessions', PortalFields, ({ customer, return_url: returnUrl }) => {
    const { id } = customerOf(customer);
    const portal = { id: newId('bps'), customer: id, returnUrl: returnUrl ?? needs.base() };
    state.save('portals', portal);
    const url = `${needs.base()}/p/session/${portal.id}`;
    return {
      id: portal.id,
      object: 'billing_portal.session',
      customer: id,
      return_url: portal.returnUrl,
      livemode: false,
      url,
    };
  });

  api.get('/events', (c) => {
    const { created = {}, types, type, limit, starting_after: startingAfter } = read(c, EventList);
    const found = state
      .all('events')
      .filter(
        (event) =>
          event.created >= (created.gte ?? 0) &&
          event.created > (created.gt ?? -1) &&
          event.created <= (created.lte ?? Number.POSITIVE_INFINITY) &&
          event.created < (created.lt ?? Number.POSITIVE_INFINITY) &&
          (types === undefined || types.includes(event.type)) &&
          (type === undefined || type === event.type),
      );
    return c.json(
      listObject(
        newestFirst(found),
        { ...(limit === undefined ? {} : { limit }), startingAfter },
        eventObject,
        '/v1/events',
      ),
    );
  });
  api.get('/events/:id', (c) => {
    const event = state.find('events', c.req.param('id'));
    if (event === undefined) throw noSuch('event', c.req.param('id'), 'id');
    return c.json(eventObject(event));
  });
  api.all('*', (c) => {
    throw new StripeApiError(404, `Unrecognized request URL (${c.req.method}: ${c.req.path}).`);
  });
  return api;
}

/** Merges metadata like Stripe: an empty value removes the key. */
function withoutEmpty(before: Metadata, change: Metadata): Metadata {
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ''));
}
