import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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

  it("follows Stripe's state without any event", async () => {
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

  it('denies premium for a status that Stripe may add later', async () => {
    const user = await people.subscribed();
    // @ts-expect-error a status that is not in the SDK's types, as Stripe may send one
    backend.stripe.lifecycle.setStatus(user.subscription, 'dormant');
    expect(await people.status(user)).toMatchObject({ isPremium: false, status: 'dormant' });
  });

  it('calls the plan monthly if it has the configured price, otherwise a subscription', async () => {
    const user = await people.subscribed();
    expect((await people.status(user)).plan).toBe('monthly');
    backend.stripe.state.save('subscriptions', { ...people.subscription(user.subscription.id), price: 'price_other' });
    expect((await people.status(user)).plan).toBe('subscription');
  });

  it('shows when the paid period ends', async () => {
    const user = await people.subscribed();
    const { periodEnd } = people.subscription(user.subscription.id);
    expect((await people.status(user)).currentPeriodEnd).toBe(new Date(periodEnd * 1000).toISOString());
  });

  it('is canceled for a customer that Stripe has removed', async () => {
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
    // The only update counts the rate limit.
    expect(backend.dynamo.operations.filter((one) => !/Get|Query/.test(one))).toEqual(['UpdateItem']);
  });

  it('never restores the record of an account that was deleted during the request', async () => {
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

describe('while Stripe fails', () => {
  let backend: Backend;
  let people: ReturnType<typeof billing>;
  let user: TestUser;
  beforeAll(async () => {
    backend = await startBackend();
    people = billing(backend);
  });
  afterAll(() => backend.stop());
  beforeEach(async () => {
    backend.stripe.setFaults([]);
    // The trouble of the test before is over.
    backend.clock.forward(15_000);
    user = await people.subscribed();
    expect(await people.status(user)).toMatchObject({ source: 'stripe' });
    backend.metrics.counted.length = 0;
  });

  const stale = { isPremium: true, status: 'trialing', source: 'snapshot', stale: true };

  it.each([
    { fault: 'fails', faults: [{ status: 500 }] },
    { fault: 'answers HTML', faults: [{ status: 502, body: '<html>Bad gateway</html>' }] },
    { fault: 'rate-limits us', faults: [{ status: 429, body: '{"error":{"type":"invalid_request_error"}}' }] },
    { fault: 'refuses our key', faults: [{ status: 401, body: '{"error":{"type":"invalid_request_error"}}' }] },
    { fault: 'breaks the connection', faults: [{ drop: true }] },
    { fault: 'hangs', faults: [{ hang: true }] },
    { fault: 'does not send JSON', faults: [{ status: 200, body: 'half a bo' }] },
  ])('the stored snapshot is returned when it $fault', async ({ faults }) => {
    backend.stripe.setFaults(faults);
    backend.clock.forward(90_000);
    const answer = await people.status(user);
    expect(answer).toMatchObject(stale);
    expect(answer.snapshotAgeSeconds).toBeGreaterThanOrEqual(90);
    expect(answer.snapshotAgeSeconds).toBeLessThan(100);
    expect(backend.metrics.counted).toContain('SubscriptionStatusFallback');
  });

  it('it is no longer called after several failures, and tried again later', async () => {
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

  it('a user without a snapshot is not premium', async () => {
    backend.stripe.setFaults([{ status: 500 }]);
    expect(await people.status(newUser())).toMatchObject({
      isPremium: false,
      status: 'none',
      source: 'snapshot',
      stale: true,
      snapshotAgeSeconds: null,
    });
  });

  it('the stored snapshot is also returned when the key cannot be read', async () => {
    backend.secretsManager.setFaults([{ match: 'GetSecretValue', status: 400, body: '{"__type":"AccessDenied"}' }]);
    backend.clock.forward(301_000);
    for (let i = 0; i < 4; i += 1) expect(await people.status(user)).toMatchObject(stale);
    backend.secretsManager.setFaults([]);
    // The failure was ours, not Stripe's, so there is no cool-down.
    expect(await people.status(user)).toMatchObject({ source: 'stripe' });
  });

  it('a rotated key is found without a deploy', async () => {
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

  // The last one: days pass.
  it('premium lapses if it stays unconfirmed for days after the period', async () => {
    backend.stripe.setFaults([{ status: 500 }]);
    backend.clock.forward((7 + 2) * DAY * 1000);
    expect(await people.status(user)).toMatchObject({ isPremium: true, stale: true });
    backend.clock.forward(2 * DAY * 1000);
    expect(await people.status(user)).toMatchObject({ isPremium: false, status: 'trialing', stale: true });
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

  it('finds the subscription of a verified address and links it', async () => {
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

  it('picks the best subscription: active, past due, incomplete, canceled, then the newest', async () => {
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

  it('is tried once an hour, even by parallel requests', async () => {
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

  it('does not use up the hour when Stripe fails', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email), 'active');
    backend.stripe.setFaults([{ status: 500, times: 2 }]);
    expect(await people.status(user)).toMatchObject({ isPremium: false, stale: true });
    expect(await people.status(user)).toMatchObject({ isPremium: true, source: 'stripe_recovered_email' });
  });

  it('never takes a customer that names another existing user', async () => {
    const victim = await signedUp(backend);
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email, victim.uid), 'active');
    expect(await people.status(user)).toMatchObject({ isPremium: false, source: 'stripe' });
  });

  it('takes a customer that names a deleted user', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email, newUser().uid), 'active');
    expect(await people.status(user)).toMatchObject({ isPremium: true, source: 'stripe_recovered_email' });
  });

  it("trusts our own mapping over the customer's metadata", async () => {
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

  it('is skipped for an address that is not in the token', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email), 'active');
    const { body } = await backend.call('/subscriptionStatus', { headers: user.accessHeaders });
    expect(body).toMatchObject({ isPremium: false, source: 'stripe' });
  });

  it('takes a customer whose metadata is not one of our user ids', async () => {
    const user = await signedUp(backend);
    subscriptionAtStripe(customerAtStripe(user.email, 'somebody-of-another-product with spaces'), 'active');
    expect(await people.status(user)).toMatchObject({ isPremium: true });
  });
});
