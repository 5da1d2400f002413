import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { customerObject } from '../../../tools/run/local-stack/stripe/objects.ts';
import { WebhookSender } from '../../../tools/run/local-stack/stripe/webhook-sender.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { gate } from '../../support/gate.ts';
import { signedUp } from '../../support/signed-up.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let people: ReturnType<typeof billing>;
beforeAll(async () => {
  backend = await startBackend();
  people = billing(backend);
});
afterAll(() => backend.stop());
beforeEach(() => {
  backend.stripe.setFaults([]);
  backend.dynamo.setFaults([]);
});

const admin = () => ({ 'x-admin-token': backend.secrets.adminToken });
const ledger = async (eventId: string) =>
  (await backend.call(`/stripeEvents/${eventId}`, { headers: admin() })).body.event;
const stored = async (uid: string) =>
  (await backend.scan('users')).find((one) => one['uid'] === uid && one['record'] === 'subscription');
const snapshotStatus = async (uid: string) => {
  const record = await stored(uid);
  const snapshot: unknown = record?.['subscription_snapshot'];
  return typeof snapshot === 'object' && snapshot !== null && 'status' in snapshot ? snapshot.status : undefined;
};
const counted = (name: string) => backend.metrics.counted.filter((one) => one.startsWith(name)).length;
const makeEvent: ReturnType<typeof billing>['makeEvent'] = (type, object) => people.makeEvent(type, object);

describe('the webhook signature', () => {
  const event = () => makeEvent('invoice.paid', { id: 'in_1', object: 'invoice', customer: null });
  const refused = async (options: Parameters<Backend['call']>[1]) => {
    const answer = await backend.call('/stripeWebhook', options);
    return [answer.status, answer.body.error?.code];
  };

  it('lets a genuine event in', async () => {
    const answer = await people.deliver(event());
    expect([answer.status, answer.body]).toEqual([200, { received: true }]);
  });

  it('covers the exact bytes: an extra space is rejected', async () => {
    const { body, headers } = backend.stripe.webhooks.sign(event());
    expect(await refused({ body: `${body} `, headers })).toEqual([400, 'invalid_signature']);
    expect(await refused({ body: JSON.stringify(JSON.parse(body), null, 1), headers })).toEqual([
      400,
      'invalid_signature',
    ]);
  });

  it.each(['', 't=1,v1=00', 'nonsense', `t=${Math.floor(Date.now() / 1000)},v1=${'0'.repeat(64)}`])(
    'is rejected when it is %j',
    async (signature) => {
      const { body } = backend.stripe.webhooks.sign(event());
      const headers = { 'Stripe-Signature': signature };
      expect(await refused({ body, headers })).toEqual([400, 'invalid_signature']);
    },
  );

  it('is required', async () => {
    const { body } = backend.stripe.webhooks.sign(event());
    expect(await refused({ body })).toEqual([400, 'invalid_signature']);
  });

  it('is rejected when it is older than five minutes', async () => {
    const signed = backend.stripe.webhooks.sign(event());
    backend.clock.forward(301_000);
    expect(await refused(signed)).toEqual([400, 'invalid_signature']);
    backend.clock.forward(-301_000);
  });

  it.each(['{', '[]', '"evt"', '{"id":"evt_1","object":"v2.core.event","type":"v1.x"}'])(
    'on a body that is not a snapshot event (%s) is 400',
    async (body) => {
      const sender = new WebhookSender(() => backend.secrets.stripeWebhookSecret);
      const { default: Stripe } = await import('stripe');
      const secret = backend.secrets.stripeWebhookSecret;
      const header = Stripe.webhooks.generateTestHeaderString({ payload: body, secret });
      const answer = await backend.call('/stripeWebhook', { body, headers: { 'Stripe-Signature': header } });
      expect(answer.status).toBe(400);
      expect(['invalid_json', 'validation_failed']).toContain(answer.body.error.code);
      await sender.stop();
    },
  );

  it('may be from either secret during a rotation, and from a new one without a deploy', async () => {
    const other = await startBackend();
    const next = new WebhookSender(() => 'whsec_next');
    const send = async (sender: WebhookSender) => (await other.call('/stripeWebhook', sender.sign(event()))).status;
    try {
      const { stripeWebhookSecret: old, stripeSecretKey } = other.secrets;
      expect([await send(other.stripe.webhooks), await send(next)]).toEqual([200, 400]);
      other.secretsManager.setValues({
        STRIPE_SECRET_KEY: stripeSecretKey,
        STRIPE_WEBHOOK_SECRET: [old, 'whsec_next'],
      });
      // After a miss the secret is read again, but not immediately.
      other.clock.forward(11_000);
      expect([await send(other.stripe.webhooks), await send(next)]).toEqual([200, 200]);
    } finally {
      await next.stop();
      await other.stop();
    }
  });

  it('cannot be checked without a secret, which is our fault: 503', async () => {
    const bare = await startBackend();
    try {
      bare.secretsManager.setValues({ RATE_LIMIT_SALT: bare.secrets.rateLimitSalt });
      bare.clock.forward(301_000);
      const answer = await bare.call('/stripeWebhook', bare.stripe.webhooks.sign(event()));
      expect([answer.status, answer.body.error.code]).toEqual([503, 'billing_unavailable']);
    } finally {
      await bare.stop();
    }
  });

  it('protects a route without preflight: no web page can call it', async () => {
    const headers = { Origin: 'capacitor://localhost', 'Access-Control-Request-Method': 'POST' };
    const answer = await backend.call('/stripeWebhook', { method: 'OPTIONS', headers });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a signed event that Stripe would never send', () => {
  const endless = 'x'.repeat(3 * 1024);
  const send = (id: string, object: unknown) => {
    const event = { id, type: 'invoice.paid', created: backend.stripe.state.now(), object };
    const { body, headers } = backend.stripe.webhooks.sign(event);
    return backend.call('/stripeWebhook', { method: 'POST', headers, body });
  };

  it.each([
    ['of an invoice', { object: 'invoice', id: 'in_1', customer: `cus_${endless}` }],
    ['of an expanded customer', { object: 'invoice', id: 'in_1', customer: { id: `cus_${endless}` } }],
    ['of a customer', { object: 'customer', id: `cus_${endless}` }],
    ['of nobody', { object: 'invoice', id: 'in_1', customer: '' }],
  ])('is 400 with a customer id that no table can store: %s', async (_whose, object) => {
    const answer = await send('evt_too_long', object);
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'validation_failed' } } });
  });
});

describe('a webhook event', () => {
  it("updates the snapshot to Stripe's state", async () => {
    const user = await people.subscribed();
    const from = people.events().length;
    backend.stripe.lifecycle.setStatus(user.subscription, 'past_due');
    expect(await people.deliverSince(from)).toMatchObject([{ status: 200 }]);
    expect(await snapshotStatus(user.uid)).toBe('past_due');
  });

  it('that was already processed is 200 without work', async () => {
    const user = await people.subscribed();
    const event = people.events().at(-1);
    if (event === undefined) throw new Error('no event');
    await people.deliver(event);
    const asked = backend.metrics.measured.length;
    const [duplicates, writes] = [counted('WebhookDuplicate'), backend.dynamo.operations.length];
    expect((await people.deliver(event)).body).toEqual({ received: true });
    expect(backend.metrics.measured.slice(asked).filter((one) => one.startsWith('StripeCall'))).toEqual([]);
    expect(counted('WebhookDuplicate')).toBe(duplicates + 1);
    expect(backend.dynamo.operations.slice(writes)).toEqual(['UpdateItem']);
    expect(await ledger(event.id)).toMatchObject({ status: 'done', attempts: 1 });
    expect(await snapshotStatus(user.uid)).toBe('trialing');
  });

  it('delivered ten times in parallel is processed once', async () => {
    const user = await people.subscribed();
    const from = people.events().length;
    backend.stripe.lifecycle.setStatus(user.subscription, 'active');
    const [event] = people.events(from);
    if (event === undefined) throw new Error('no event');
    const answers = await Promise.all(Array.from({ length: 10 }, () => people.deliver(event)));
    const busy = answers.filter(({ status }) => status === 503);
    expect(answers.filter(({ status }) => status === 200).length + busy.length).toBe(10);
    for (const { body } of busy) expect(body.error.code).toBe('event_in_progress');
    expect(await ledger(event.id)).toMatchObject({ status: 'done', attempts: 1 });
  });

  it('left half done by a crashed run is resumed after its lease, not before', async () => {
    const user = await people.subscribed();
    const from = people.events().length;
    backend.stripe.lifecycle.setStatus(user.subscription, 'active');
    const [event] = people.events(from);
    if (event === undefined) throw new Error('no event');
    backend.dynamo.dieAfterWrites(1);
    expect((await people.deliver(event)).status).toBe(503);
    backend.dynamo.revive();
    const early = await people.deliver(event);
    expect([early.status, early.body.error.code]).toEqual([503, 'event_in_progress']);
    expect(early.headers.get('retry-after')).toBe('60');
    backend.clock.forward(61_000);
    expect((await people.deliver(event)).status).toBe(200);
    expect(await ledger(event.id)).toMatchObject({ status: 'done', attempts: 2 });
    expect(await snapshotStatus(user.uid)).toBe('active');
    backend.clock.forward(-61_000);
  });

  it('is processed even when the answer to its first write is lost', async () => {
    const user = await people.subscribed();
    const from = people.events().length;
    backend.stripe.lifecycle.setStatus(user.subscription, 'active');
    const [event] = people.events(from);
    if (event === undefined) throw new Error('no event');
    backend.dynamo.loseAnswer('UpdateItem');
    expect((await people.deliver(event)).status).toBe(200);
    expect(await snapshotStatus(user.uid)).toBe('active');
  });

  it('that arrives late changes nothing and is counted as out of order', async () => {
    const user = await people.subscribed();
    await people.deliverSince(0).then(() => undefined);
    const { lifecycle } = backend.stripe;
    const from = people.events().length;
    lifecycle.setStatus(user.subscription, 'past_due');
    lifecycle.forward(60);
    lifecycle.setStatus(people.subscription(user.subscription.id), 'active');
    const [late, newest] = people.events(from);
    if (late === undefined || newest === undefined) throw new Error('no events');
    await people.deliver(newest);
    const facts = async () => {
      const { version: _v, syncs: _n, synced_at: _s, updated_at: _u, ...rest } = (await stored(user.uid)) ?? {};
      return rest;
    };
    const before = await facts();
    const outOfOrder = counted('WebhookOutOfOrder');
    expect((await people.deliver(late)).status).toBe(200);
    expect(await facts()).toEqual(before);
    expect(counted('WebhookOutOfOrder')).toBe(outOfOrder + 1);
    expect(await ledger(late.id)).toMatchObject({ outcome: 'unchanged' });
  });

  it('of an irrelevant type is 200, counted and not recorded', async () => {
    const event = makeEvent('invoice.finalized', { id: 'in_2', object: 'invoice', customer: 'cus_x' });
    const ignored = counted('WebhookIgnored');
    expect((await people.deliver(event)).status).toBe(200);
    expect(counted('WebhookIgnored')).toBe(ignored + 1);
    expect((await backend.call(`/stripeEvents/${event.id}`, { headers: admin() })).status).toBe(404);
  });

  it('without a customer is done at once', async () => {
    const event = makeEvent('checkout.session.completed', { id: 'cs_1', object: 'checkout.session', customer: null });
    expect((await people.deliver(event)).status).toBe(200);
    expect(await ledger(event.id)).toMatchObject({ status: 'done', outcome: 'nobodys', customerId: null });
  });

  it.each([
    'checkout.session.completed',
    'checkout.session.async_payment_succeeded',
    'checkout.session.async_payment_failed',
    'customer.subscription.created',
    'customer.subscription.updated',
    'customer.subscription.deleted',
    'customer.subscription.paused',
    'customer.subscription.resumed',
    'customer.subscription.trial_will_end',
    'invoice.paid',
    'invoice.payment_failed',
  ])('of type %s triggers a read of the subscription', async (type) => {
    const user = await people.subscribed();
    const event = makeEvent(type, {
      id: 'any',
      object: type.split('.').slice(0, -1).join('.'),
      customer: user.subscription.customer,
    });
    backend.stripe.state.save('subscriptions', { ...user.subscription, status: 'unpaid' });
    expect((await people.deliver(event)).status).toBe(200);
    expect(await snapshotStatus(user.uid)).toBe('unpaid');
  });

  it('about a removed customer ends the subscription, and the next checkout creates a new customer', async () => {
    const user = await people.subscribed();
    await people.status(user);
    const customer = people.customerOf(user);
    if (customer === undefined) throw new Error('no customer');
    const from = people.events().length;
    backend.stripe.lifecycle.remove(customer);
    for (const { status } of await people.deliverSince(from)) expect(status).toBe(200);
    expect(await people.status(user)).toMatchObject({ isPremium: false, status: 'canceled', trialUsed: true });
    const portal = await backend.call('/createBillingPortalSession', { headers: user.headers, body: {} });
    expect(portal.body.error.code).toBe('no_customer');
    const again = await people.checkout(user);
    expect(again.status).toBe(200);
    expect(backend.stripe.state.find('sessions', again.body.sessionId)?.trialDays).toBeNull();
    // Later events of the old customer are recognised and leave the new one alone.
    const late = people.subscriptionEvent('customer.subscription.deleted', user.subscription);
    expect((await people.deliver(late)).status).toBe(200);
    expect((await stored(user.uid))?.['stripe_customer_id']).not.toBe(customer.id);
  });

  it('about a second customer with a live subscription makes that one current', async () => {
    const user = await people.subscribed();
    await people.status(user);
    backend.stripe.lifecycle.cancel(user.subscription);
    const second = people.customerAtStripe({ uid: user.uid });
    const live = people.subscriptionAtStripe(second, 'active');
    const documents = await backend.services.documents();
    await documents.put({
      TableName: backend.services.config.tables.users,
      Item: { uid: `stripe-customer#${second.id}`, record: 'mapping', owner_uid: user.uid },
    });
    expect((await people.deliver(people.subscriptionEvent('customer.subscription.created', live))).status).toBe(200);
    expect(await stored(user.uid)).toMatchObject({ stripe_customer_id: second.id });
    expect(await people.status(user)).toMatchObject({ isPremium: true, status: 'active' });
  });
});

describe('a failing event', () => {
  const failing = async () => {
    const user = await people.subscribed();
    const from = people.events().length;
    backend.stripe.lifecycle.setStatus(user.subscription, 'active');
    const [event] = people.events(from);
    if (event === undefined) throw new Error('no event');
    return { user, event };
  };

  it('is 5xx, so that Stripe retries it (trap 3), and listed with error and attempts', async () => {
    const { user, event } = await failing();
    backend.stripe.setFaults([{ match: '^GET /v1/subscriptions', status: 500 }]);
    const answer = await people.deliver(event);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'billing_unavailable']);
    expect(await ledger(event.id)).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: 'StripeUnavailableError: Stripe is not available: server_error',
    });
    const list = await backend.call('/stripeEvents?status=failed', { headers: admin() });
    expect(list.body.events.map((one: { eventId: string }) => one.eventId)).toContain(event.id);
    backend.stripe.setFaults([]);
    expect((await people.deliver(event)).status).toBe(200);
    expect(await ledger(event.id)).toMatchObject({ status: 'done', attempts: 2, error: null });
    expect(await snapshotStatus(user.uid)).toBe('active');
  });

  it.each(['UpdateItem', 'GetItem', 'Query'])('without the database (%s) is 500 and is retried', async (operation) => {
    const { user, event } = await failing();
    backend.dynamo.setFaults([{ match: operation, status: 400, body: '{"__type":"AccessDeniedException"}' }]);
    expect((await people.deliver(event)).status).toBe(500);
    backend.dynamo.setFaults([]);
    expect((await people.deliver(event)).status).toBe(200);
    expect(await snapshotStatus(user.uid)).toBe('active');
  });
});

describe('an event about an unknown customer', () => {
  const unknownCustomer = (uid?: string, email?: string) => {
    const customer = people.customerAtStripe({
      ...(uid === undefined ? {} : { uid }),
      ...(email === undefined ? {} : { email }),
    });
    const subscription = people.subscriptionAtStripe(customer, 'active');
    return { customer, event: people.subscriptionEvent('customer.subscription.created', subscription) };
  };
  it('is kept and counted, and applied when the mapping appears', async () => {
    const user = await signedUp(backend);
    const { customer, event } = unknownCustomer(undefined, user.email);
    const misses = counted('WebhookMappingMiss');
    expect((await people.deliver(event)).status).toBe(200);
    expect(counted('WebhookMappingMiss')).toBe(misses + 1);
    expect(await ledger(event.id)).toMatchObject({ status: 'kept', outcome: 'kept', customerId: customer.id });
    expect(await people.status(user)).toMatchObject({ isPremium: true, source: 'stripe_recovered_email' });
    expect(await ledger(event.id)).toMatchObject({ status: 'done', outcome: 'applied_late' });
    expect((await backend.scan('users')).filter((one) => String(one['record']).startsWith('kept#'))).toEqual([]);
  });

  it('is not lost when the mapping is written just before it is kept', async () => {
    const user = await signedUp(backend);
    const { event } = unknownCustomer(undefined, user.email);
    const { until, letGo } = gate();
    const met = backend.dynamo.faultsMet();
    backend.dynamo.setFaults([{ match: 'PutItem', until, times: 1 }]);
    const delivering = people.deliver(event);
    await expect.poll(() => backend.dynamo.faultsMet()).toBe(met + 1);
    expect(await people.status(user)).toMatchObject({ isPremium: true, source: 'stripe_recovered_email' });
    letGo();
    expect((await delivering).status).toBe(200);
    expect(await ledger(event.id)).toMatchObject({ status: 'done' });
  });

  it('is applied at once when the customer names an existing user', async () => {
    const user = await signedUp(backend);
    const { event } = unknownCustomer(user.uid);
    expect((await people.deliver(event)).status).toBe(200);
    expect(await people.status(user)).toMatchObject({ isPremium: true, source: 'stripe' });
    expect(await ledger(event.id)).toMatchObject({ status: 'done', outcome: 'applied' });
  });

  it('is kept when the named user does not exist: others may use the same Stripe account', async () => {
    const stranger = newUser();
    const { event } = unknownCustomer(stranger.uid);
    expect((await people.deliver(event)).status).toBe(200);
    expect(await ledger(event.id)).toMatchObject({ status: 'kept' });
    expect(JSON.stringify(await backend.scan('users'))).not.toContain(stranger.uid);
  });

  it('is checked again when it is redelivered', async () => {
    const { customer, event } = unknownCustomer();
    const another = makeEvent('invoice.paid', { object: 'invoice', customer: customer.id });
    await people.deliver(another);
    await people.deliver(event);
    const user = await signedUp(backend);
    backend.stripe.state.save('customers', { ...customer, metadata: { uid: user.uid } });
    await people.deliver(event);
    expect(await ledger(event.id)).toMatchObject({ status: 'done', attempts: 2 });
    expect(await people.status(user)).toMatchObject({ isPremium: true });
    // The other event is applied as well.
    expect(await ledger(another.id)).toMatchObject({ status: 'done', outcome: 'applied_late' });
    const waiting = (await backend.scan('users')).filter((one) => one['uid'] === `stripe-customer#${customer.id}`);
    expect(waiting.map((one) => one['record'])).toEqual(['mapping']);
  });

  it('restores a lost billing record when the mapping still exists', async () => {
    const user = await people.subscribed();
    await people.status(user);
    const documents = await backend.services.documents();
    const Key = { uid: user.uid, record: 'subscription' };
    await documents.delete({ TableName: backend.services.config.tables.users, Key });
    const event = makeEvent('invoice.paid', { id: 'in_3', object: 'invoice', customer: user.subscription.customer });
    expect((await people.deliver(event)).status).toBe(200);
    expect(await snapshotStatus(user.uid)).toBe('trialing');
  });

  it('is not applied to a customer removed at Stripe', async () => {
    const { customer } = unknownCustomer();
    backend.stripe.state.save('customers', { ...customer, deleted: true });
    const event = makeEvent('customer.deleted', customerObject(customer));
    expect((await people.deliver(event)).status).toBe(200);
    expect(await ledger(event.id)).toMatchObject({ status: 'kept' });
  });
});

describe('a payment for a deleted account', () => {
  it('is stopped: the new subscription is cancelled', async () => {
    const user = newUser();
    const { body } = await people.checkout(user);
    const session = backend.stripe.state.find('sessions', body.sessionId);
    const gone = await backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
    expect(gone.status).toBe(200);
    expect(backend.stripe.state.find('sessions', body.sessionId)?.status).toBe('expired');
    // The customer had the page open and paid before it was closed.
    const from = people.events().length;
    if (session !== undefined) backend.stripe.lifecycle.pay(session);
    for (const { status } of await people.deliverSince(from)) expect(status).toBe(200);
    const subscription = backend.stripe.state.all('subscriptions').find((one) => one.customer === session?.customer);
    expect(subscription?.status).toBe('canceled');
    expect(JSON.stringify(await backend.scan('users'))).not.toContain(user.uid);
  });

  it('is stopped even while the deletion is unfinished and the mapping is lost', async () => {
    const user = await signedUp(backend);
    backend.dynamo.setFaults([{ match: 'DeleteItem', status: 400, body: '{"__type":"AccessDeniedException"}' }]);
    await backend.call('/updateProfile', { headers: user.headers, body: { profile: { theme: 'dark' } } });
    const half = await backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
    expect(half.status).toBe(500);
    backend.dynamo.setFaults([]);
    const customer = people.customerAtStripe();
    const subscription = people.subscriptionAtStripe(customer, 'active');
    const paid = { object: 'checkout.session', customer: customer.id, client_reference_id: user.uid };
    const event = makeEvent('checkout.session.completed', paid);
    expect((await people.deliver(event)).status).toBe(200);
    expect(people.subscription(subscription.id).status).toBe('canceled');
    expect(await ledger(event.id)).toMatchObject({ status: 'done', outcome: 'account_deleted' });
    const mapping = (await backend.scan('users')).find((one) => one['uid'] === `stripe-customer#${customer.id}`);
    expect(mapping).toMatchObject({ record: 'mapping', anonymised_at: expect.any(String) });
    // Later events of this customer need no hint.
    expect((await people.deliver(people.subscriptionEvent('invoice.paid', subscription))).status).toBe(200);
    await backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
    expect(JSON.stringify(await backend.scan('users'))).not.toContain(user.uid);
  });
});
