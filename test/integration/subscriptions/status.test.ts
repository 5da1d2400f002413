import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing, type TestUser } from '../../support/billing.ts';
import { gate } from '../../support/gate.ts';
import { signedUp } from '../../support/signed-up.ts';
import { newUser } from '../../support/tokens.ts';

const DAY = 24 * 60 * 60;

describe('subscriptionStatus', () => {
  let backend: Backend;
  let people: ReturnType<typeof billing>;
  beforeAll(async () => {
    backend = await startBackend();
    people = billing(backend);
  });
  afterAll(() => backend.stop());

  it('follows what Stripe has, without any event', async () => {
    const user = await people.subscribed();
    const { lifecycle } = backend.stripe;
    expect(await people.status(user)).toMatchObject({ isPremium: true, status: 'trialing' });
    lifecycle.scheduleEnd(people.subscription(user.subscription.id), true);
    expect(await people.status(user)).toMatchObject({ isPremium: true, cancelAtPeriodEnd: true });
    lifecycle.setStatus(people.subscription(user.subscription.id), 'past_due');
    expect(await people.status(user)).toMatchObject({ isPremium: false, status: 'past_due' });
    lifecycle.cancel(people.subscription(user.subscription.id));
    expect(await people.status(user)).toMatchObject({ isPremium: false, status: 'canceled', trialUsed: true });
  });

  it('denies premium for a status that Stripe may invent', async () => {
    const user = await people.subscribed();
    // @ts-expect-error a word that is not in the SDK's types, as Stripe may send one
    backend.stripe.lifecycle.setStatus(user.subscription, 'dormant');
    expect(await people.status(user)).toMatchObject({ isPremium: false, status: 'dormant' });
  });

  it('calls a plan monthly by its price, and any other one a subscription', async () => {
    const user = await people.subscribed();
    expect((await people.status(user)).plan).toBe('monthly');
    backend.stripe.state.save('subscriptions', { ...people.subscription(user.subscription.id), price: 'price_other' });
    expect((await people.status(user)).plan).toBe('subscription');
  });

  it('tells when the paid period ends, as a time', async () => {
    const user = await people.subscribed();
    const { periodEnd } = people.subscription(user.subscription.id);
    expect((await people.status(user)).currentPeriodEnd).toBe(new Date(periodEnd * 1000).toISOString());
  });

  it('stays with a customer whose subscriptions end when Stripe removes them', async () => {
    const user = await people.subscribed();
    await people.status(user);
    const customer = people.customerOf(user);
    if (customer !== undefined) backend.stripe.lifecycle.remove(customer);
    expect(await people.status(user)).toMatchObject({ isPremium: false, status: 'canceled', trialUsed: true });
  });

  it('writes nothing while nothing changes', async () => {
    const user = await people.subscribed();
    await people.status(user);
    backend.dynamo.operations.length = 0;
    await people.status(user);
    // The one update counts the rate limit.
    expect(backend.dynamo.operations.filter((one) => !/Get|Query/.test(one))).toEqual(['UpdateItem']);
  });

  it('never brings back the record of an account that was deleted meanwhile', async () => {
    const user = await people.subscribed();
    const { until, letGo } = gate();
    const met = backend.stripe.faultsMet();
    backend.stripe.setFaults([{ match: '^GET /v1/subscriptions', until, times: 1 }]);
    const asked = people.status(user);
    await expect.poll(() => backend.stripe.faultsMet()).toBe(met + 1);
    const gone = await backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
    expect(gone.status).toBe(200);
    letGo();
    await asked;
    expect(JSON.stringify(await backend.scan('users'))).not.toContain(user.uid);
  });
});

describe('with Stripe in trouble', () => {
  let backend: Backend;
  let people: ReturnType<typeof billing>;
  let user: TestUser;
  beforeEach(async () => {
    backend = await startBackend();
    people = billing(backend);
    user = await people.subscribed();
    await people.status(user);
  });
  afterEach(() => backend.stop());

  const stale = { isPremium: true, status: 'trialing', source: 'snapshot', stale: true };

  it.each([
    { fault: 'fails', faults: [{ status: 500 }] },
    { fault: 'answers HTML', faults: [{ status: 502, body: '<html>Bad gateway</html>' }] },
    { fault: 'limits our rate', faults: [{ status: 429, body: '{"error":{"type":"invalid_request_error"}}' }] },
    { fault: 'refuses our key', faults: [{ status: 401, body: '{"error":{"type":"invalid_request_error"}}' }] },
    { fault: 'breaks the connection', faults: [{ drop: true }] },
    { fault: 'does not answer at all', faults: [{ hang: true }] },
    { fault: 'sends no JSON', faults: [{ status: 200, body: 'half a bo' }] },
  ])('the stored snapshot answers when it $fault', async ({ faults }) => {
    backend.stripe.setFaults(faults);
    backend.clock.forward(90_000);
    const answer = await people.status(user);
    expect(answer).toMatchObject(stale);
    expect(answer.snapshotAgeSeconds).toBeGreaterThanOrEqual(90);
    expect(answer.snapshotAgeSeconds).toBeLessThan(100);
    expect(backend.metrics.counted).toContain('SubscriptionStatusFallback');
  });

  it('is asked no more once it has failed often, and tried again after a while', async () => {
    backend.stripe.setFaults([{ status: 500 }]);
    for (let i = 0; i < 3; i += 1) await people.status(user);
    const asked = backend.stripe.faultsMet();
    const answers = await Promise.all(Array.from({ length: 20 }, () => people.status(user)));
    for (const answer of answers) expect(answer).toMatchObject(stale);
    expect(backend.stripe.faultsMet()).toBe(asked);
    expect(backend.metrics.counted).toContain('StripeCircuitOpened');

    backend.clock.forward(15_000);
    await people.status(user);
    expect(backend.stripe.faultsMet()).toBeGreaterThan(asked);
    const probed = backend.stripe.faultsMet();
    expect(await people.status(user)).toMatchObject(stale);
    expect(backend.stripe.faultsMet()).toBe(probed);

    backend.stripe.setFaults([]);
    backend.clock.forward(15_000);
    expect(await people.status(user)).toMatchObject({ source: 'stripe' });
    expect(await people.status(user)).not.toHaveProperty('stale');
  });

  it('a checkout is 503 billing_unavailable with Retry-After', async () => {
    backend.stripe.setFaults([{ status: 503 }]);
    for (let i = 0; i < 4; i += 1) {
      const answer = await people.checkout(newUser());
      expect([answer.status, answer.body.error.code]).toEqual([503, 'billing_unavailable']);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const portal = await backend.call('/createBillingPortalSession', { headers: user.headers, body: {} });
    expect([portal.status, portal.body.error.code]).toEqual([503, 'billing_unavailable']);
  });

  it('premium lapses by itself when nobody confirms it for days after the period', async () => {
    backend.stripe.setFaults([{ status: 500 }]);
    backend.clock.forward((7 + 2) * DAY * 1000);
    expect(await people.status(user)).toMatchObject({ isPremium: true, stale: true });
    backend.clock.forward(2 * DAY * 1000);
    expect(await people.status(user)).toMatchObject({ isPremium: false, status: 'trialing', stale: true });
  });

  it('a user of whom nothing is stored is simply not premium', async () => {
    backend.stripe.setFaults([{ status: 500 }]);
    expect(await people.status(newUser())).toMatchObject({
      isPremium: false,
      status: 'none',
      source: 'snapshot',
      stale: true,
      snapshotAgeSeconds: null,
    });
  });

  it('the stored snapshot answers too when the key can not be read', async () => {
    backend.secretsManager.setFaults([{ match: 'GetSecretValue', status: 400, body: '{"__type":"AccessDenied"}' }]);
    backend.clock.forward(301_000);
    for (let i = 0; i < 4; i += 1) expect(await people.status(user)).toMatchObject(stale);
    backend.secretsManager.setFaults([]);
    // It was our trouble, not Stripe's: nothing has to cool down.
    expect(await people.status(user)).toMatchObject({ source: 'stripe' });
  });

  it('a key that was rotated is found without a deploy', async () => {
    backend.stripe.setFaults([]);
    const { FACTORY_PROVISION_TOKEN: _unused, ...rest } = {
      FACTORY_PROVISION_TOKEN: backend.secrets.factoryToken,
      RATE_LIMIT_SALT: backend.secrets.rateLimitSalt,
      STRIPE_WEBHOOK_SECRET: backend.secrets.stripeWebhookSecret,
    };
    backend.secretsManager.setValues({ ...rest, STRIPE_SECRET_KEY: 'sk_test_not_yet_known' });
    backend.clock.forward(301_000);
    expect(await people.status(user)).toMatchObject(stale);
    backend.secretsManager.setValues({ ...rest, STRIPE_SECRET_KEY: backend.secrets.stripeSecretKey });
    backend.clock.forward(11_000);
    expect(await people.status(user)).toMatchObject({ source: 'stripe' });
  });
});

describe('recovery by e-mail', () => {
  let backend: Backend;
  let people: ReturnType<typeof billing>;
  beforeAll(async () => {
    backend = await startBackend();
    people = billing(backend);
  });
  afterAll(() => backend.stop());
  beforeEach(() => backend.stripe.setFaults([]));

  const customerAtStripe = (email: string, uid?: string) =>
    people.customerAtStripe({ email, ...(uid === undefined ? {} : { uid }) });
  const subscriptionAtStripe: (typeof people)['subscriptionAtStripe'] = (...args) =>
    people.subscriptionAtStripe(...args);

  it('finds the subscription of a verified address, and keeps it', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email), 'active');
    expect(await people.status(user)).toMatchObject({
      isPremium: true,
      source: 'stripe_recovered_email',
      trialUsed: true,
    });
    expect(await people.status(user)).toMatchObject({ isPremium: true, source: 'stripe' });
    expect(backend.stripe.state.all('customers').at(-1)?.metadata).toEqual({ uid: user.uid });
  });

  it('takes the best of several: active, then past due, then incomplete, then canceled, and the newest', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email), 'canceled');
    subscriptionAtStripe(customerAtStripe(user.email), 'incomplete');
    const late = customerAtStripe(user.email);
    subscriptionAtStripe(late, 'past_due', 100);
    subscriptionAtStripe(customerAtStripe(user.email), 'past_due', 500);
    expect(await people.status(user)).toMatchObject({ status: 'past_due', source: 'stripe_recovered_email' });
    const [record] = (await backend.scan('users')).filter(
      (one) => one['uid'] === user.uid && one['record'] === 'subscription',
    );
    expect(record?.['stripe_customer_id']).toBe(late.id);
  });

  it('is tried once an hour, also by requests at the same time', async () => {
    const user = await signedUp(backend);
    const searches = () =>
      backend.metrics.measured.filter((one) => one === 'StripeCall{operation=customers_by_email}').length;
    const before = searches();
    await Promise.all(Array.from({ length: 8 }, () => people.status(user)));
    await people.status(user);
    expect(searches()).toBe(before + 1);
    backend.clock.forward(3_601_000);
    const fresh = { ...user, headers: newUser({ sub: user.uid, email: user.email }).headers };
    await people.status(fresh);
    expect(searches()).toBe(before + 2);
    backend.clock.forward(-3_601_000);
  });

  it('that Stripe could not answer does not use the hour up', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email), 'active');
    backend.stripe.setFaults([{ status: 500, times: 2 }]);
    expect(await people.status(user)).toMatchObject({ isPremium: false, stale: true });
    expect(await people.status(user)).toMatchObject({ isPremium: true, source: 'stripe_recovered_email' });
  });

  it('never takes a customer that names another user who exists', async () => {
    const victim = await signedUp(backend);
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email, victim.uid), 'active');
    expect(await people.status(user)).toMatchObject({ isPremium: false, source: 'stripe' });
  });

  it('takes one that names a user who is gone', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email, newUser().uid), 'active');
    expect(await people.status(user)).toMatchObject({ isPremium: true, source: 'stripe_recovered_email' });
  });

  it('believes our own record of whose a customer is, whatever the customer says of itself', async () => {
    const email = `${newUser().uid}@example.com`;
    const owner = await signedUp(backend);
    const customer = customerAtStripe(owner.email);
    subscriptionAtStripe(customer, 'active');
    await people.status(owner);
    const found = backend.stripe.state.find('customers', customer.id);
    const user = await signedUp(backend, email);
    if (found !== undefined) backend.stripe.state.save('customers', { ...found, email, metadata: { uid: user.uid } });
    expect(await people.status(user)).toMatchObject({ isPremium: false });
    expect(await people.status(owner)).toMatchObject({ isPremium: true });
  });

  it('is not for an address that the token does not carry', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email), 'active');
    const { body } = await backend.call('/subscriptionStatus', { headers: user.accessHeaders });
    expect(body).toMatchObject({ isPremium: false, source: 'stripe' });
  });

  it('takes one whose metadata is no user id of ours', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email, 'somebody-of-another-product with spaces'), 'active');
    expect(await people.status(user)).toMatchObject({ isPremium: true });
  });
});
