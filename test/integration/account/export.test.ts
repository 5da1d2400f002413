import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { gardeners } from '../../support/gardeners.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const exported = (headers: Record<string, string>) => backend.call('/exportMyData', { headers });

describe('exportMyData', () => {
  it('returns everything stored about the user, as a download', async () => {
    const people = billing(backend);
    const user = await people.subscribed();
    const { headers } = user;
    await backend.call('/updateProfile', { headers, body: { profile: { displayName: 'Ada', language: 'de' } } });
    await backend.call('/saveUserState', { headers, body: { state: { zones: [1, 2] }, version: '3' } });
    const { serial } = (
      await backend.call('/provision', {
        headers: { 'x-factory-token': backend.secrets.factoryToken },
        body: { hw_id: 'E0E0E0E00001' },
      })
    ).body;
    await backend.call('/claimDevice', { headers, body: { serial } });
    await people.status(user);
    await gardeners(backend).send('/plantId', user);

    const answer = await exported(headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="autowatering-export.json"');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({
      uid: user.uid,
      login: { email: `${user.uid}@example.com`, emailVerified: true },
      profile: { displayName: 'Ada', language: 'de' },
      state: { state: { zones: [1, 2] }, version: '3', docVersion: 1 },
      devices: [{ serial, hwId: 'E0E0E0E00001', status: 'active' }],
      usage: [{ feature: 'plantId', month: expect.stringMatching(/^\d{4}-\d{2}$/), used: 1 }],
      billing: {
        stripeCustomerId: user.subscription.customer,
        formerStripeCustomerIds: [],
        subscription: { subscriptionId: user.subscription.id, status: 'trialing', plan: 'monthly' },
        trialUsedAt: expect.any(String),
        confirmedByStripeAt: expect.any(String),
      },
    });
  });

  it('is empty for a user without data', async () => {
    const { headers } = newUser();
    expect((await exported(headers)).body).toMatchObject({
      profile: {},
      state: null,
      devices: [],
      usage: [],
      billing: { stripeCustomerId: null, subscription: null, trialUsedAt: null, confirmedByStripeAt: null },
    });
  });

  it('contains all devices of a user with very many', async () => {
    const { uid, headers } = newUser();
    const documents = await backend.services.documents();
    const TableName = backend.services.config.tables.users;
    const serials = Array.from({ length: 230 }, (_, i) => String(i + 1).padStart(6, '0'));
    await Promise.all(
      serials.map((serial) =>
        documents.put({
          TableName,
          Item: {
            ...{ uid, record: `device#${serial}`, serial, hw_id: `E0E0E0${serial}`, status: 'active', schema: 1 },
            claimed_at: '2026-01-01T00:00:00.000Z',
          },
        }),
      ),
    );
    expect((await exported(headers)).body.devices.map((one: { serial: string }) => one.serial)).toEqual(serials);
  });

  it('works without Stripe', async () => {
    const people = billing(backend);
    const user = await people.subscribed();
    await people.status(user);
    backend.stripe.setFaults([{ status: 500 }]);
    expect((await exported(user.headers)).body.billing.subscription.status).toBe('trialing');
    backend.stripe.setFaults([]);
  });
});
