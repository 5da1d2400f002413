import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { routeContracts } from '../../../tools/build/docs/route-contracts.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { gate } from '../../support/gate.ts';
import { incompressible } from '../../support/incompressible.ts';
import { logIn, signedUp } from '../../support/signed-up.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());
beforeEach(() => backend.dynamo.setFaults([]));

const remove = (headers: Record<string, string>) =>
  backend.call('/deleteMyAccount', { headers, body: { confirmText: 'DELETE' } });

const stateObjects = (uid: string) => backend.objects(`user-state/${uid}/`);

let made = 0;
async function claimedDevice(headers: Record<string, string>): Promise<string> {
  made += 1;
  const provisioned = await backend.call('/provision', {
    headers: { 'x-factory-token': backend.secrets.factoryToken },
    body: { hw_id: `DE1E7E00${String(made).padStart(4, '0')}` },
  });
  const { serial } = provisioned.body;
  expect((await backend.call('/claimDevice', { headers, body: { serial } })).status).toBe(200);
  return serial;
}

describe('deleteMyAccount', () => {
  it('removes every trace of the user, releases the devices and deletes the login', async () => {
    const { email, headers, uid } = await signedUp(backend);
    const serials = [await claimedDevice(headers), await claimedDevice(headers)];
    await backend.call('/updateProfile', { headers, body: { profile: { displayName: 'Ada' } } });
    await backend.call('/saveUserState', { headers, body: { state: { t: incompressible(500_000) } } });

    expect(await stateObjects(uid)).toHaveLength(1);
    expect((await remove(headers)).body).toEqual({ ok: true, deleted: true });

    const left = await Promise.all([backend.scan('users'), backend.scan('provisioning'), backend.scan('rateLimits')]);
    expect(JSON.stringify(left)).not.toContain(uid);
    expect(JSON.stringify(left)).not.toContain(email);
    expect(await stateObjects(uid)).toEqual([]);
    await expect(logIn(email)).rejects.toThrow();
    const next = newUser();
    for (const serial of serials) {
      expect((await backend.call('/claimDevice', { headers: next.headers, body: { serial } })).status).toBe(200);
    }
  });

  it('blocks every other route while the token is still valid, and can be repeated', async () => {
    const { headers } = await signedUp(backend);
    await remove(headers);
    const shut = routeContracts().filter(
      ({ auth, openToDeletedAccounts: open }) => auth === 'cognito' && open !== true,
    );
    expect(shut.length).toBeGreaterThan(12);
    for (const { method, path } of shut) {
      const answer = await backend.call(path, method === 'POST' ? { headers, body: {} } : { headers });
      expect([path, answer.status, answer.body.error?.code]).toEqual([path, 410, 'account_deleted']);
    }
    expect((await remove(headers)).body).toEqual({ ok: true, deleted: true });
  });

  it('deletes once when requested twice at the same time, and succeeds both times', async () => {
    const { email, headers, uid } = await signedUp(backend);
    await claimedDevice(headers);
    const answers = await Promise.all([remove(headers), remove(headers), remove(headers)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await expect(logIn(email)).rejects.toThrow();
    expect(JSON.stringify([await backend.scan('users'), await backend.scan('provisioning')])).not.toContain(uid);
  });

  it('needs a recent sign-in', async () => {
    const old = newUser({ authTime: Math.floor(Date.now() / 1000) - 11 * 60 });
    const answer = await remove(old.headers);
    expect(answer.status).toBe(401);
    expect(answer.body.error.code).toBe('recent_login_required');
    expect((await backend.call('/getUserState', { headers: old.headers })).status).toBe(200);
  });

  it.each([{}, { confirmText: 'delete' }, { confirmText: 'DELETE', extra: 1 }])('rejects %j', async (body) => {
    const { headers } = newUser();
    expect((await backend.call('/deleteMyAccount', { headers, body })).body.error.code).toBe('validation_failed');
    expect((await backend.call('/getUserState', { headers })).status).toBe(200);
  });

  it.each(['TransactWriteItems', 'DeleteItem', 'Query'])(
    'keeps the login when %s fails halfway, and finishes on retry (trap 8)',
    async (operation) => {
      const { email, headers, uid } = await signedUp(backend);
      const serial = await claimedDevice(headers);
      await backend.call('/saveUserState', { headers, body: { state: { kept: 1 } } });
      backend.dynamo.setFaults([{ match: operation, status: 400, body: '{"__type":"AccessDeniedException"}' }]);
      expect((await remove(headers)).status).toBe(500);
      backend.dynamo.setFaults([]);
      await expect(logIn(email)).resolves.toBeDefined();
      expect((await backend.call('/getUserState', { headers })).status).toBe(410);

      expect((await remove(headers)).status).toBe(200);
      await expect(logIn(email)).rejects.toThrow();
      expect(JSON.stringify(await backend.scan('users'))).not.toContain(uid);
      const next = newUser();
      expect((await backend.call('/claimDevice', { headers: next.headers, body: { serial } })).status).toBe(200);
    },
  );

  /** Lets a request run up to its last write, holds that write, deletes the account, then releases the write. */
  async function overtakenByDeletion(
    headers: Record<string, string>,
    held: { readonly operation: string; readonly before: number },
    request: () => ReturnType<Backend['call']>,
  ) {
    const { until, letGo } = gate();
    const metBefore = backend.dynamo.faultsMet();
    backend.dynamo.setFaults([
      ...(held.before === 0 ? [] : [{ match: held.operation, latencyMs: 0, times: held.before }]),
      { match: held.operation, until, times: 1 },
    ]);
    const answering = request();
    await vi.waitUntil(() => backend.dynamo.faultsMet() === metBefore + held.before + 1);
    expect((await remove(headers)).status).toBe(200);
    letGo();
    return answering;
  }

  it('keeps the login when the bucket fails halfway, and finishes on retry', async () => {
    const { email, headers, uid } = await signedUp(backend);
    await backend.call('/saveUserState', { headers, body: { state: { t: incompressible(500_000) } } });
    backend.s3.setFaults([{ status: 403 }]);
    expect((await remove(headers)).status).toBe(500);
    backend.s3.setFaults([]);
    await expect(logIn(email)).resolves.toBeDefined();
    expect((await remove(headers)).status).toBe(200);
    expect(await stateObjects(uid)).toEqual([]);
    await expect(logIn(email)).rejects.toThrow();
  });

  it('wins against a claim in progress', async () => {
    const { headers, uid } = await signedUp(backend);
    const { serial } = (
      await backend.call('/provision', {
        headers: { 'x-factory-token': backend.secrets.factoryToken },
        body: { hw_id: 'DE1E7E220001' },
      })
    ).body;
    const answer = await overtakenByDeletion(headers, { operation: 'TransactWriteItems', before: 0 }, () =>
      backend.call('/claimDevice', { headers, body: { serial } }),
    );
    expect([answer.status, answer.body.error?.code]).toEqual([410, 'account_deleted']);
    expect(JSON.stringify([await backend.scan('users'), await backend.scan('provisioning')])).not.toContain(uid);
    expect((await backend.call('/claimDevice', { headers: newUser().headers, body: { serial } })).status).toBe(200);
  });

  it.each([
    ['/saveUserState', { state: { late: true } }],
    ['/saveUserState', { state: { late: incompressible(500_000) } }],
    ['/updateProfile', { profile: { displayName: 'Late' } }],
  ])('wins against a write in progress: %s', async (path, body) => {
    const { headers, uid } = await signedUp(backend);
    // The first update counts the rate limit, the second is the write.
    const answer = await overtakenByDeletion(headers, { operation: 'UpdateItem', before: 1 }, () =>
      backend.call(path, { headers, body }),
    );
    expect([answer.status, answer.body.error?.code]).toEqual([410, 'account_deleted']);
    expect(JSON.stringify(await backend.scan('users'))).not.toContain(uid);
    expect(await stateObjects(uid)).toEqual([]);
  });

  it('leaves nothing behind when writes race with it', async () => {
    const { headers, uid } = await signedUp(backend);
    made += 1;
    const { serial } = (
      await backend.call('/provision', {
        headers: { 'x-factory-token': backend.secrets.factoryToken },
        body: { hw_id: `DE1E7E11${String(made).padStart(4, '0')}` },
      })
    ).body;
    const race = [
      remove(headers),
      ...Array.from({ length: 5 }, (_, i) => backend.call('/saveUserState', { headers, body: { state: { i } } })),
      ...Array.from({ length: 5 }, (_, i) =>
        backend.call('/updateProfile', { headers, body: { profile: { theme: `t${i}` } } }),
      ),
      backend.call('/claimDevice', { headers, body: { serial } }),
    ];
    const answers = await Promise.all(race);
    for (const { status } of answers) expect([200, 410]).toContain(status);
    expect(JSON.stringify(await backend.scan('users'))).not.toContain(uid);
    expect(JSON.stringify(await backend.scan('provisioning'))).not.toContain(uid);
  });

  it('leaves a tombstone that names nobody and expires in seconds (trap 6)', async () => {
    const { headers, uid } = await signedUp(backend);
    await remove(headers);
    const [tombstone] = (await backend.scan('users')).filter(
      (item) => item['record'] === 'deletion' && item['status'] === 'done',
    );
    expect(JSON.stringify(tombstone)).not.toContain(uid);
    const hours = (Number(tombstone?.['expires_at']) - Date.now() / 1000) / 3600;
    expect(hours).toBeGreaterThan(24);
    expect(hours).toBeLessThan(26);
  });

  it('ignores an expired tombstone even before TTL has removed it', async () => {
    const { headers } = newUser({ expiresAt: Math.floor(Date.now() / 1000) + 100_000 });
    await remove(headers);
    expect((await backend.call('/getUserState', { headers })).status).toBe(410);
    backend.clock.forward(26 * 3_600_000);
    expect((await backend.call('/getUserState', { headers })).status).toBe(200);
    backend.clock.forward(-26 * 3_600_000);
  });
});

describe('deleting the account of a subscriber', () => {
  const subscriber = async () => {
    const user = await signedUp(backend);
    const people = billing(backend);
    const { subscription } = await people.subscribed(user);
    await people.deliverSince(people.events().length - 3);
    return { ...user, people, subscription };
  };
  const namesOf = (customerId: string) => backend.stripe.state.find('customers', customerId)?.metadata;

  it('cancels the subscription and leaves no trace of them, here or in the metadata at Stripe', async () => {
    const { headers, uid, email, people, subscription } = await subscriber();
    const from = people.events().length;
    expect((await remove(headers)).status).toBe(200);
    expect(people.subscription(subscription.id).status).toBe('canceled');
    expect(namesOf(subscription.customer)).toEqual({});
    // Later Stripe events are recognised and bring nothing back.
    for (const { status } of await people.deliverSince(from)) expect(status).toBe(200);
    const left = JSON.stringify(await Promise.all([backend.scan('users'), backend.scan('rateLimits')]));
    expect(left).not.toContain(uid);
    expect(left).not.toContain(email);
    const mapping = (await backend.scan('users')).find(
      (one) => one['uid'] === `stripe-customer#${subscription.customer}`,
    );
    expect(mapping).toMatchObject({ record: 'mapping', anonymised_at: expect.any(String) });
  });

  it('keeps the customer mapping if the person signs up again', async () => {
    const { headers, email, people, subscription } = await subscriber();
    await remove(headers);
    const mappingOf = async () =>
      (await backend.scan('users')).find((one) => one['uid'] === `stripe-customer#${subscription.customer}`);
    expect(await mappingOf()).toMatchObject({ expires_at: expect.any(Number) });
    // The same person, with a new account and a new subscription at Stripe.
    backend.stripe.state.save('subscriptions', { ...people.subscription(subscription.id), status: 'active' });
    const next = await signedUp(backend, email);
    expect(await people.status(next)).toMatchObject({ isPremium: true });
    expect(await mappingOf()).toMatchObject({ owner_uid: next.uid });
    expect(await mappingOf()).not.toHaveProperty('expires_at');
  });

  it('closes the checkout page where they could still have paid', async () => {
    const { headers } = await signedUp(backend);
    const { sessionId } = (await billing(backend).checkout({ headers })).body;
    expect((await remove(headers)).status).toBe(200);
    expect(backend.stripe.state.find('sessions', sessionId)?.status).toBe('expired');
  });

  it('is 503 while Stripe is down, keeps the login, and finishes on retry', async () => {
    const { headers, email, people, subscription } = await subscriber();
    backend.stripe.setFaults([{ match: '^DELETE /v1/subscriptions', status: 500 }]);
    const answer = await remove(headers);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'billing_unavailable']);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    await expect(logIn(email)).resolves.toBeDefined();
    expect(people.subscription(subscription.id).status).toBe('trialing');
    backend.stripe.setFaults([]);
    expect((await remove(headers)).status).toBe(200);
    expect(people.subscription(subscription.id).status).toBe('canceled');
    await expect(logIn(email)).rejects.toThrow();
  });

  it.each([1, 2, 3, 4, 5])('finishes after a crash following write %i', async (writes) => {
    const { headers, uid, email, people, subscription } = await subscriber();
    backend.dynamo.dieAfterWrites(writes);
    const first = await remove(headers);
    backend.dynamo.revive();
    expect(first.status).toBe(503);
    expect((await remove(headers)).status).toBe(200);
    expect(people.subscription(subscription.id).status).toBe('canceled');
    expect(namesOf(subscription.customer)).toEqual({});
    const left = JSON.stringify(await backend.scan('users'));
    expect(left).not.toContain(uid);
    await expect(logIn(email)).rejects.toThrow();
  });

  it('remembers a used trial even when Stripe has forgotten the customer', async () => {
    const { headers, email, subscription } = await subscriber();
    expect((await remove(headers)).status).toBe(200);
    const customer = backend.stripe.state.find('customers', subscription.customer);
    if (customer !== undefined) backend.stripe.lifecycle.remove(customer);
    const newcomer = await signedUp(backend, email);
    const { sessionId } = (await billing(backend).checkout(newcomer)).body;
    expect(backend.stripe.state.find('sessions', sessionId)?.trialDays).toBeNull();
  });
});
