import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { fleetOf } from '../../support/fleet.ts';
import { peersOf } from '../../support/peers.ts';
import { newPeerIdentity } from '../../support/relay.ts';
import { releasesOf } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const told = async (user: { readonly headers: Readonly<Record<string, string>> }) => {
  const { body } = await backend.call('/notifications', { headers: user.headers });
  return body.notifications.map(({ kind, topic }: { kind: string; topic: string }) => `${kind} ${topic}`);
};

describe('an owner is told', () => {
  it('of a new hub, once', async () => {
    const owner = newUser();
    const identity = newPeerIdentity();
    await peersOf(backend).register(owner, identity, { type: 'hub' });
    await peersOf(backend).register(owner, identity, { type: 'hub' });
    expect(await told(owner)).toEqual(['new_peer hub']);
  });

  it('of a payment that failed, once for that period', async () => {
    const user = await billing(backend).subscribed();
    await billing(backend).status(user);
    const from = billing(backend).events().length;
    const [subscription] = backend.stripe.state.all('subscriptions').slice(-1);
    if (subscription === undefined) throw new Error('there is no subscription');
    const overdue = { ...subscription, status: 'past_due' } as const;
    backend.stripe.state.save('subscriptions', overdue);
    billing(backend).subscriptionEvent('customer.subscription.updated', overdue);
    billing(backend).subscriptionEvent('customer.subscription.updated', overdue);
    await billing(backend).deliverSince(from);
    expect(await told(user)).toEqual(['subscription payment-failed']);
  });

  it('of an update that failed, and of one that succeeded through a hub: where it was watched nobody need be told', async () => {
    const { device, user } = await ownedDevice();
    await releasesOf(backend).publish('1.1.0', 'stable');
    const hub = await peersOf(backend).peer(user, { type: 'hub' });
    const { headers: asHub } = await peersOf(backend).tokens(hub);
    const report = (attempt: string, status: string, headers: Readonly<Record<string, string>> = user.headers) =>
      backend.call('/ota/reports', {
        headers,
        body: {
          ...{ serial: device.serial, board: 'arduino_nano_33_ble', channel: 'stable', version: '1.1.0' },
          ...{ attempt_id: attempt, status, phone: {} },
        },
      });
    const updates = async () => (await told(user)).filter((one: string) => one.startsWith('update')).sort();
    for (const [attempt, status] of [
      ['a1', 'failed'],
      ['a1', 'failed'],
      ['a2', 'confirmed'],
    ] as const) {
      expect((await report(attempt, status)).status).toBe(200);
    }
    expect(await updates()).toEqual(['update failed']);
    await report('a3', 'confirmed', asHub);
    expect(await updates()).toEqual(['update done', 'update failed']);
  });
});

async function ownedDevice() {
  const user = newUser();
  const device = await fleetOf(backend).device();
  await backend.call('/claimDevice', {
    headers: user.headers,
    body: { serial: device.serial, claim_code: device.claim_code },
  });
  return { user, device };
}
