import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing, type TestUser } from '../../support/billing.ts';
import { gate } from '../../support/gate.ts';
import { signedUp } from '../../support/signed-up.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let people: ReturnType<typeof billing>;
beforeAll(async () => {
  backend = await startBackend({ RETURN_URL_ALLOWED_ORIGINS: 'https://app.example.com' });
  people = billing(backend);
});
afterAll(() => backend.stop());
beforeEach(() => {
  backend.stripe.setFaults([]);
  backend.dynamo.setFaults([]);
});

const customersOf = (uid: string) =>
  backend.stripe.state.all('customers').filter((one) => one.metadata['uid'] === uid && !one.deleted);
const openSessionsOf = (uid: string) =>
  backend.stripe.state.all('sessions').filter((one) => one.clientReferenceId === uid && one.status === 'open');
const session = (id: string) => backend.stripe.state.find('sessions', id);

describe('createSubscriptionCheckout', () => {
  it('opens a page with a trial for a first-time subscriber, and paying there makes them premium', async () => {
    const user = newUser();
    expect(await people.status(user)).toEqual({
      uid: user.uid,
      isPremium: false,
      status: 'none',
      plan: null,
      currentPeriodEnd: null,
      cancelAtPeriodEnd: false,
      trialUsed: false,
      source: 'stripe',
    });
    const answer = await people.checkout(user);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ url: expect.stringMatching(/^http/), sessionId: expect.stringMatching(/^cs_/) });
    expect(session(answer.body.sessionId)).toMatchObject({
      trialDays: 7,
      allowPromotionCodes: true,
      clientReferenceId: user.uid,
      subscriptionMetadata: { uid: user.uid },
    });
    expect((await people.press(answer.body.url, 'pay')).status).toBe(303);
    expect(await people.status(user)).toMatchObject({
      isPremium: true,
      status: 'trialing',
      plan: 'monthly',
      cancelAtPeriodEnd: false,
      trialUsed: true,
      source: 'stripe',
    });
  });

  it('returns to the app through this API, and to allowed web pages directly', async () => {
    const body = {
      successUrl: 'autowatering://premium?checkout=success',
      cancelUrl: 'https://app.example.com/premium',
    };
    const { sessionId } = (await people.checkout(newUser(), body)).body;
    const opened = session(sessionId);
    expect(opened?.successUrl).toBe(`${backend.url}/appReturn?to=autowatering%3A%2F%2Fpremium%3Fcheckout%3Dsuccess`);
    expect(opened?.cancelUrl).toBe('https://app.example.com/premium');
    const back = await fetch(opened?.successUrl ?? '', { redirect: 'manual' });
    expect(back.status).toBe(302);
    expect(back.headers.get('location')).toBe('autowatering://premium?checkout=success');
    expect(back.headers.get('cache-control')).toBe('no-store');
  });

  it.each(['successUrl', 'cancelUrl'])('rejects a foreign %s before calling Stripe', async (field) => {
    const user = newUser();
    const answer = await people.checkout(user, { [field]: 'https://app.example.com.evil.com/' });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_return_url']);
    expect(customersOf(user.uid)).toEqual([]);
  });

  it('returns the same page when repeated, so nobody pays twice', async () => {
    const user = newUser();
    const first = (await people.checkout(user)).body;
    expect((await people.checkout(user)).body).toEqual(first);
    expect(openSessionsOf(user.uid)).toHaveLength(1);
  });

  it('with other return addresses closes the previous page', async () => {
    const user = newUser();
    const first = (await people.checkout(user)).body;
    const second = (await people.checkout(user, { cancelUrl: 'autowatering://premium?tab=2' })).body;
    expect(second.sessionId).not.toBe(first.sessionId);
    expect(openSessionsOf(user.uid).map(({ id }) => id)).toEqual([second.sessionId]);
  });

  it('sells no second subscription to someone who pays while the page is being closed', async () => {
    const user = newUser();
    const { url } = (await people.checkout(user)).body;
    const { until, letGo } = gate();
    const met = backend.stripe.faultsMet();
    backend.stripe.setFaults([{ match: '/expire', until, times: 1 }]);
    const asking = people.checkout(user, { cancelUrl: 'autowatering://premium?tab=2' });
    await expect.poll(() => backend.stripe.faultsMet()).toBe(met + 1);
    await people.press(url, 'pay');
    letGo();
    expect(await asking).toMatchObject({ status: 409, body: { error: { code: 'already_subscribed' } } });
    expect(openSessionsOf(user.uid)).toEqual([]);
  });

  it('keeps the e-mail address out of the log, although Stripe quotes it in its error', async () => {
    const user = newUser({ email: 'ada lovelace@example.com' });
    expect((await people.checkout(user)).status).toBe(500);
    const failure = backend.log.lines.findLast(({ message }) => message === 'The request failed');
    expect(inspect(failure, { depth: 10 })).toContain('email_invalid');
    expect(inspect(backend.log.lines, { depth: 10 })).not.toContain('lovelace@');
  });

  it('opens a new page after the last one has expired', async () => {
    const user = newUser();
    const first = (await people.checkout(user)).body;
    backend.stripe.lifecycle.forward(25 * 3600);
    const second = (await people.checkout(user)).body;
    expect(session(first.sessionId)?.status).toBe('expired');
    expect(session(second.sessionId)?.status).toBe('open');
  });

  it('creates one customer and one page for ten parallel requests', async () => {
    const user = newUser();
    const answers = await Promise.all(Array.from({ length: 10 }, () => people.checkout(user)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(new Set(answers.map(({ body }) => body.sessionId)).size).toBe(1);
    expect(customersOf(user.uid)).toHaveLength(1);
  });

  it('leaves one customer and one open page when two apps race with different addresses', async () => {
    const user = newUser();
    const wishes = Array.from({ length: 4 }, (_, i) => ({ cancelUrl: `autowatering://premium?tab=${i}` }));
    const answers = await Promise.all(wishes.map((body) => people.checkout(user, body)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(openSessionsOf(user.uid)).toHaveLength(1);
    expect(customersOf(user.uid)).toHaveLength(1);
  });

  it('creates one customer when the e-mail address changes between two racing requests', async () => {
    const uid = newUser().uid;
    const [one, other] = ['a', 'b'].map((name) => newUser({ sub: uid, email: `${name}-${uid}@example.com` }));
    if (one === undefined || other === undefined) throw new Error('no users');
    const answers = await Promise.all([people.checkout(one), people.checkout(other)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(customersOf(uid)).toHaveLength(1);
  });

  it('waits for an identical request in progress instead of creating a second page', async () => {
    const user = newUser();
    await people.checkout(user);
    backend.stripe.lifecycle.forward(25 * 3600);
    const underWay = { error: { type: 'idempotency_error', code: 'idempotency_key_in_use', message: 'in progress' } };
    // The SDK itself retries a conflict once.
    backend.stripe.setFaults([
      { match: '^POST /v1/checkout/sessions ', status: 409, body: JSON.stringify(underWay), times: 2 },
    ]);
    expect((await people.checkout(user)).status).toBe(200);
    expect(openSessionsOf(user.uid)).toHaveLength(1);
  });

  it.each([
    { what: 'the customer', before: async () => newUser() },
    {
      what: 'the page',
      before: async () => {
        const user = newUser();
        await people.checkout(user);
        backend.stripe.lifecycle.forward(25 * 3600);
        return user;
      },
    },
  ])('recovers from a failed creation of $what that Stripe replays for a day', async ({ before }) => {
    const user = await before();
    backend.stripe.failInside(1);
    expect((await people.checkout(user)).status).toBe(200);
    expect(customersOf(user.uid)).toHaveLength(1);
    expect(openSessionsOf(user.uid)).toHaveLength(1);
  });

  it('is not stuck for a day when Stripe fails twice', async () => {
    const user = newUser();
    backend.stripe.failInside(2);
    expect((await people.checkout(user)).body.error.code).toBe('billing_unavailable');
    backend.clock.forward(60_000);
    expect((await people.checkout(user)).status).toBe(200);
    expect(customersOf(user.uid)).toHaveLength(1);
  });

  it('finds the customer of an earlier attempt whose mapping could not be written', async () => {
    const user = newUser();
    backend.dynamo.setFaults([
      { match: 'TransactWriteItems', status: 400, body: '{"__type":"AccessDeniedException"}' },
    ]);
    expect((await people.checkout(user)).status).toBe(500);
    backend.dynamo.setFaults([]);
    expect((await people.checkout(user)).status).toBe(200);
    expect(customersOf(user.uid)).toHaveLength(1);
  });

  it('takes the e-mail address from the user pool when the token has none', async () => {
    const { email, accessHeaders } = await signedUp(backend);
    expect((await people.checkout({ headers: accessHeaders })).status).toBe(200);
    expect(backend.stripe.state.all('customers').filter((one) => one.email === email)).toHaveLength(1);
  });

  it('creates a new customer when Stripe has removed the old one, even before the event arrives', async () => {
    const user = newUser();
    await people.checkout(user);
    const [old] = customersOf(user.uid);
    if (old === undefined) throw new Error('no customer');
    backend.stripe.lifecycle.remove(old);
    const answer = await people.checkout(user);
    expect(answer.status).toBe(200);
    const [fresh] = customersOf(user.uid);
    expect(fresh?.id).not.toBe(old.id);
    expect(session(answer.body.sessionId)?.customer).toBe(fresh?.id);
  });

  it('is 503 with Retry-After when no price is configured', async () => {
    const bare = await startBackend({ STRIPE_PRICE_ID: '' });
    try {
      const answer = await billing(bare).checkout(newUser());
      expect([answer.status, answer.body.error.code]).toEqual([503, 'billing_unavailable']);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    } finally {
      await bare.stop();
    }
  });
});

describe('a user with an existing subscription', () => {
  it.each(['active', 'trialing', 'past_due', 'unpaid', 'paused', 'incomplete'] as const)(
    'that is %s gets an error that says where to manage it',
    async (state) => {
      const user = await people.subscribed();
      backend.stripe.lifecycle.setStatus(user.subscription, state);
      const answer = await people.checkout(user);
      expect([answer.status, answer.body.error.code]).toEqual([409, 'already_subscribed']);
      expect(answer.body.error.message).not.toContain('/');
      expect(answer.body.error.details).toEqual({ status: state, manageAt: 'POST /createBillingPortalSession' });
      expect(openSessionsOf(user.uid)).toEqual([]);
    },
  );

  it.each(['canceled', 'incomplete_expired'] as const)(
    'that is %s can subscribe again, without a trial',
    async (state) => {
      const user = await people.subscribed();
      backend.stripe.lifecycle.setStatus(user.subscription, state);
      const answer = await people.checkout(user);
      expect(answer.status).toBe(200);
      expect(session(answer.body.sessionId)?.trialDays).toBeNull();
    },
  );
});

describe('a used trial', () => {
  const trialOf = async (user: Pick<TestUser, 'headers'>) => {
    const { body } = await people.checkout(user);
    return session(body.sessionId)?.trialDays ?? null;
  };
  const endedSubscriber = async () => {
    const user = await people.subscribed();
    await people.status(user);
    backend.stripe.lifecycle.cancel(people.subscription(user.subscription.id));
    return user;
  };
  const forget = async (uid: string, records: readonly string[]) => {
    const documents = await backend.services.documents();
    const TableName = backend.services.config.tables.users;
    for (const record of records) await documents.delete({ TableName, Key: { uid, record } });
  };

  it('is not granted again to the same user', async () => {
    expect(await trialOf(await endedSubscriber())).toBeNull();
  });

  it('stays used when the subscription record is lost', async () => {
    const user = await endedSubscriber();
    await forget(user.uid, ['subscription']);
    expect(await trialOf(user)).toBeNull();
  });

  it('stays used when the subscription and the Stripe customer are lost but the trial record remains', async () => {
    const user = await endedSubscriber();
    const customer = people.customerOf(user);
    if (customer !== undefined) backend.stripe.lifecycle.remove(customer);
    await forget(user.uid, ['subscription']);
    expect(await trialOf(user)).toBeNull();
  });

  it('stays used when all our records are lost, because Stripe remembers it', async () => {
    const user = await endedSubscriber();
    await forget(user.uid, ['subscription', 'trial']);
    expect(await trialOf(user)).toBeNull();
  });

  it('stays used for another account with the same address', async () => {
    const user = await endedSubscriber();
    const twin = newUser({ email: `${user.uid}@example.com` });
    expect(await trialOf(twin)).toBeNull();
  });

  it('stays used for a second account with the address of one that still exists', async () => {
    const owner = await signedUp(backend);
    await people.subscribed(owner);
    expect(await trialOf(newUser({ email: owner.email }))).toBeNull();
  });

  it('is not counted when the first payment never succeeded', async () => {
    const user = newUser();
    const { body } = await people.checkout(user);
    await people.press(body.url, 'decline');
    expect(session(body.sessionId)?.status).toBe('open');
    await people.press(body.url, 'cancel');
    expect(await trialOf(user)).toBe(7);
    expect((await people.status(user)).trialUsed).toBe(false);
  });
});

describe('createBillingPortalSession', () => {
  it('opens the portal for a user with a customer', async () => {
    const user = await people.subscribed();
    const answer = await backend.call('/createBillingPortalSession', { headers: user.headers, body: {} });
    expect(answer.status).toBe(200);
    expect((await fetch(answer.body.url)).status).toBe(200);
  });

  it('is 409 no_customer without a customer, and creates none', async () => {
    const user = newUser();
    const answer = await backend.call('/createBillingPortalSession', { headers: user.headers, body: {} });
    expect([answer.status, answer.body.error.code]).toEqual([409, 'no_customer']);
    expect(customersOf(user.uid)).toEqual([]);
  });

  it('is 409 no_customer when Stripe has removed the customer', async () => {
    const user = await people.subscribed();
    const customer = people.customerOf(user);
    if (customer !== undefined) backend.stripe.lifecycle.remove(customer);
    const answer = await backend.call('/createBillingPortalSession', { headers: user.headers, body: {} });
    expect([answer.status, answer.body.error.code]).toEqual([409, 'no_customer']);
  });

  it('rejects a foreign return address', async () => {
    const user = await people.subscribed();
    const body = { returnUrl: 'javascript://premium/%0aalert(1)' };
    const answer = await backend.call('/createBillingPortalSession', { headers: user.headers, body });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_return_url']);
  });
});

describe('appReturn', () => {
  it.each(['', '?to=', '?to=https%3A%2F%2Fapp.example.com%2F', '?to=https%3A%2F%2Fevil.com', '?from=x'])(
    'with %j is 400 invalid_return_url, because it redirects only into the app',
    async (query) => {
      const answer = await backend.call(`/appReturn${query}`);
      expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_return_url']);
      expect(answer.headers.get('location')).toBeNull();
    },
  );
});
