import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Stripe from 'stripe';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { portOf } from '../../../tools/run/local-stack/process/ports.ts';
import { LOCAL_PRICE } from '../../../tools/run/local-stack/stripe/objects.ts';
import { type StripeStandIn, startStripe } from '../../../tools/run/local-stack/stripe/stripe-stand-in.ts';

const KEY = 'sk_test_local';
const WEBHOOK_SECRET = 'whsec_local';
const DAY = 24 * 60 * 60;

let standIn: StripeStandIn;
let stripe: Stripe;
const connect = ({ url }: { readonly url: string }, key = KEY) => {
  const { hostname: host, port } = new URL(url);
  return new Stripe(key, { host, port, protocol: 'http', maxNetworkRetries: 0 });
};
beforeEach(async () => {
  standIn = await startStripe({ secretKey: KEY, webhookSecret: WEBHOOK_SECRET });
  stripe = connect(standIn);
});
afterEach(() => standIn.stop());

const fields = (customer: string): Stripe.Checkout.SessionCreateParams => ({
  mode: 'subscription',
  customer,
  line_items: [{ price: LOCAL_PRICE.id, quantity: 1 }],
  success_url: 'https://example.com/?id={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://example.com/cancel',
});
const press = async (url: string | null, choice: string) =>
  fetch(`${url}/${choice}`, { method: 'POST', redirect: 'manual' });
async function subscribed(trialDays?: number) {
  const customer = await stripe.customers.create({ email: 'a@example.com' });
  const session = await stripe.checkout.sessions.create({
    ...fields(customer.id),
    subscription_data: {
      metadata: { uid: 'u1' },
      ...(trialDays === undefined ? {} : { trial_period_days: trialDays }),
    },
  });
  const back = await press(session.url, 'pay');
  const [subscription] = (await stripe.subscriptions.list({ customer: customer.id })).data;
  if (subscription === undefined) throw new Error('no subscription');
  return { customer, session, back, subscription };
}
const types = () => standIn.state.all('events').map(({ type }) => type);

describe('the local Stripe, like Stripe, rejects', () => {
  it('a wrong key', async () => {
    await expect(connect(standIn, 'sk_test_wrong').balance.retrieve()).rejects.toMatchObject({
      type: 'StripeAuthenticationError',
    });
  });

  it.each([
    { what: 'an unknown parameter', change: { colour: 'red' }, code: 'parameter_unknown', param: 'colour' },
    {
      what: 'a nested unknown parameter',
      change: { subscription_data: { colour: 1 } },
      code: 'parameter_unknown',
      param: 'subscription_data[colour]',
    },
    {
      what: 'an app scheme',
      change: { success_url: 'autowatering://premium' },
      code: 'url_invalid',
      param: 'success_url',
    },
    { what: 'no return address', change: { success_url: undefined }, code: 'parameter_missing', param: 'success_url' },
    {
      what: 'a trial of zero days',
      change: { subscription_data: { trial_period_days: 0 } },
      code: 'parameter_invalid_integer',
      param: 'subscription_data[trial_period_days]',
    },
    {
      what: 'an unknown customer',
      change: { customer: 'cus_nobody' },
      code: 'resource_missing',
      param: 'customer',
    },
    {
      what: 'a method list, which the API no longer has',
      change: { payment_method_types: ['card'] },
      code: 'parameter_unknown',
      param: 'payment_method_types',
    },
    {
      what: 'a lifetime of a week',
      change: { expires_at: Math.floor(Date.now() / 1000) + 7 * DAY },
      param: 'expires_at',
    },
  ])('a checkout with $what', async ({ change, code, param }) => {
    const { id } = await stripe.customers.create({});
    await expect(stripe.checkout.sessions.create(Object.assign(fields(id), change))).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      ...(code === undefined ? {} : { code }),
      param,
    });
  });

  it('an invalid address, a deleted customer, an ended subscription and an unknown path', async () => {
    await expect(stripe.customers.create({ email: 'nobody' })).rejects.toMatchObject({ code: 'email_invalid' });
    const { customer, subscription } = await subscribed();
    await stripe.subscriptions.cancel(subscription.id);
    await expect(stripe.subscriptions.cancel(subscription.id)).rejects.toMatchObject({
      code: 'resource_missing',
      statusCode: 404,
    });
    await stripe.customers.del(customer.id);
    await expect(stripe.customers.update(customer.id, { metadata: { a: '1' } })).rejects.toMatchObject({
      code: 'resource_missing',
    });
    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ deleted: true });
    await expect(stripe.coupons.list()).rejects.toMatchObject({ statusCode: 404 });
  });

  it('the expiry of a completed checkout', async () => {
    const { session } = await subscribed();
    await expect(stripe.checkout.sessions.expire(session.id)).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
    });
  });
});

describe("the local Stripe's idempotency keys", () => {
  it('replay the first answer, and reject other parameters', async () => {
    const options = { idempotencyKey: 'once' };
    const first = await stripe.customers.create({ email: 'a@example.com' }, options);
    const second = await stripe.customers.create({ email: 'a@example.com' }, options);
    expect(second.id).toBe(first.id);
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
    await expect(stripe.customers.create({ email: 'b@example.com' }, options)).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
    });
    expect((await stripe.customers.list()).data).toHaveLength(1);
  });

  it('forget a request that was rejected before it had an effect', async () => {
    const options = { idempotencyKey: 'again' };
    await expect(stripe.customers.create({ email: 'nobody' }, options)).rejects.toThrow();
    await expect(stripe.customers.create({ email: 'a@example.com' }, options)).resolves.toBeDefined();
  });
});

describe("the local Stripe's checkout", () => {
  it('returns with the session in the address, and creates the subscription only when paid', async () => {
    const { session, back, subscription, customer } = await subscribed(7);
    expect(back.headers.get('location')).toBe(`https://example.com/?id=${session.id}`);
    expect(subscription).toMatchObject({ status: 'trialing', customer: customer.id, metadata: { uid: 'u1' } });
    expect((subscription.trial_end ?? 0) - (subscription.trial_start ?? 0)).toBe(7 * DAY);
    expect(types()).toEqual(['customer.subscription.created', 'checkout.session.completed', 'invoice.paid']);
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'complete',
      url: null,
      subscription: subscription.id,
    });
  });

  it('stays open when the card is declined or the visitor leaves', async () => {
    const { id } = await stripe.customers.create({});
    const session = await stripe.checkout.sessions.create(fields(id));
    await press(session.url, 'decline');
    expect((await press(session.url, 'cancel')).headers.get('location')).toBe('https://example.com/cancel');
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'open' });
    expect((await stripe.subscriptions.list({ customer: id })).data).toEqual([]);
    expect((await stripe.checkout.sessions.list({ customer: id, status: 'open' })).data).toHaveLength(1);
  });

  it('can be paid once', async () => {
    const { session, customer } = await subscribed();
    await press(`${standIn.url}/c/pay/${session.id}`, 'pay');
    expect((await stripe.subscriptions.list({ customer: customer.id })).data).toHaveLength(1);
    expect((await fetch(`${standIn.url}/c/pay/${session.id}`)).status).toBe(200);
  });

  it.each([
    'GET /c/pay/cs_nothing',
    'POST /c/pay/cs_nothing/pay',
    'GET /p/session/bps_nothing',
    'POST /p/session/bps_nothing/card/pays',
    'POST /p/session/bps_nothing/sub_nothing/end',
  ])('shows a page for people with 404 for %s', async (request) => {
    const [method = '', where = ''] = request.split(' ');
    const answer = await fetch(`${standIn.url}${where}`, { method });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('no such');
  });
});

describe("the local Stripe's clock", () => {
  it('ends trials after an announcement, and creates invoices', async () => {
    const { subscription } = await subscribed(7);
    standIn.lifecycle.forward(5 * DAY);
    expect(types().at(-1)).toBe('customer.subscription.trial_will_end');
    standIn.lifecycle.forward(3 * DAY);
    expect(types().slice(-2)).toEqual(['customer.subscription.updated', 'invoice.paid']);
    expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ status: 'active' });
    standIn.lifecycle.forward(3 * 30 * DAY);
    expect(types().filter((type) => type === 'invoice.paid')).toHaveLength(5);
  });

  it('retries a failed payment three times, then gives up', async () => {
    const { subscription, customer } = await subscribed();
    const stored = standIn.state.find('customers', customer.id);
    if (stored !== undefined) standIn.lifecycle.replaceCard(stored, 'declines');
    standIn.lifecycle.forward(30 * DAY);
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due');
    standIn.lifecycle.forward(16 * DAY);
    expect(types().filter((type) => type === 'invoice.payment_failed')).toHaveLength(3);
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled');
    expect(types().at(-1)).toBe('customer.subscription.deleted');
  });

  it('schedules cancellations like flexible billing, only with cancel_at', async () => {
    const { subscription } = await subscribed();
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true });
    const scheduled = await stripe.subscriptions.retrieve(subscription.id);
    expect(scheduled.cancel_at_period_end).toBe(false);
    expect(scheduled.cancel_at).toBe(scheduled.items.data[0]?.current_period_end);
    standIn.lifecycle.forward(31 * DAY);
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled');
  });

  it('expires unpaid checkouts', async () => {
    const { id } = await stripe.customers.create({});
    const session = await stripe.checkout.sessions.create(fields(id));
    await fetch(`${standIn.url}/forward/1`, { method: 'POST' });
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'expired', url: null });
  });
});

describe("the local Stripe's webhooks", () => {
  const received: { id: string; type: string }[] = [];
  let answerWith: number[] = [];
  let server: ReturnType<typeof createServer>;
  beforeEach(async () => {
    received.length = 0;
    answerWith = [];
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        const header = request.headers['stripe-signature'] ?? '';
        received.push(stripe.webhooks.constructEvent(body, header, WEBHOOK_SECRET));
        response.writeHead(answerWith.shift() ?? 200).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    standIn.webhooks.deliverTo(`http://127.0.0.1:${portOf(server)}/hook`);
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  it('are signed and match the listed events', async () => {
    await subscribed();
    await standIn.webhooks.settled();
    const listed = (await stripe.events.list({ types: ['invoice.paid', 'checkout.session.completed'] })).data;
    expect(listed).toHaveLength(2);
    for (const event of listed) expect(received.map(({ id }) => id)).toContain(event.id);
    expect(await stripe.events.retrieve(listed[0]?.id ?? '')).toEqual(listed[0]);
  });

  it('are retried until accepted', async () => {
    answerWith = [500, 500];
    await subscribed();
    await standIn.webhooks.settled();
    expect(received).toHaveLength(5);
    expect(standIn.webhooks.deliveries.map(({ state }) => state)).toEqual(['delivered', 'delivered', 'delivered']);
  });

  it('can be duplicated, reordered, delayed or dropped on request', async () => {
    const tell = (faults: object) => fetch(`${standIn.url}/_webhooks`, { method: 'PUT', body: JSON.stringify(faults) });
    await tell({ copies: 2 });
    await subscribed();
    await standIn.webhooks.settled();
    expect(received).toHaveLength(6);
    received.length = 0;
    await tell({ reorder: 3, delayMs: 5 });
    const { customer } = await subscribed();
    await standIn.webhooks.settled();
    expect(received).toHaveLength(3);
    await tell({ drop: true });
    await stripe.customers.del(customer.id);
    await standIn.webhooks.settled();
    expect(received).toHaveLength(3);
    expect(standIn.webhooks.deliveries.at(-1)?.state).toBe('dropped');
    expect((await tell({ colour: 1 })).status).toBe(400);
  });
});

it('the local Stripe keeps its data over a restart', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'autowatering-stripe-'));
  const options = { secretKey: KEY, webhookSecret: WEBHOOK_SECRET, file: path.join(directory, 'stripe', 'state.json') };
  try {
    const first = await startStripe(options);
    const customer = await connect(first).customers.create({ email: 'kept@example.com' });
    first.lifecycle.forward(DAY);
    const now = first.state.now();
    await first.stop();
    const second = await startStripe(options);
    expect(await connect(second).customers.retrieve(customer.id)).toMatchObject({ email: 'kept@example.com' });
    expect(second.state.now()).toBeGreaterThanOrEqual(now);
    await second.stop();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
