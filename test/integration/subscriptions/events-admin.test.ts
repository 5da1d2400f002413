import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { gate } from '../../support/gate.ts';

let backend: Backend;
let people: ReturnType<typeof billing>;
beforeEach(async () => {
  backend = await startBackend();
  people = billing(backend);
});
afterEach(() => backend.stop());

const get = (path: string) => backend.call(path, { headers: { 'x-admin-token': backend.secrets.adminToken } });
const replay = (eventId: string) =>
  backend.call(`/stripeEvents/${eventId}/replay`, {
    headers: { 'x-admin-token': backend.secrets.adminToken },
    body: {},
  });

describe('the event list', () => {
  it('is paged, newest first, for one status at a time', async () => {
    const user = await people.subscribed();
    const sent: string[] = [];
    for (let i = 0; i < 5; i += 1) {
      const event = people.subscriptionEvent('customer.subscription.updated', user.subscription);
      sent.unshift(event.id);
      await people.deliver(event);
    }
    const found: string[] = [];
    let cursor = '';
    do {
      const { body } = await get(`/stripeEvents?status=done&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      found.push(...body.events.map(({ eventId }: { eventId: string }) => eventId));
      cursor = body.nextCursor ?? '';
    } while (cursor !== '');
    expect(found).toEqual(sent);
    expect((await get('/stripeEvents')).body).toEqual({ ok: true, count: 0, events: [] });
  });

  it('starts at the given time', async () => {
    const user = await people.subscribed();
    await people.deliver(people.subscriptionEvent('invoice.paid', user.subscription));
    backend.clock.forward(3_600_000);
    const later = people.subscriptionEvent('invoice.paid', user.subscription);
    const { body } = await backend.call('/stripeWebhook', backend.stripe.webhooks.sign(later));
    // The signature is an hour old on the backend's clock.
    expect(body.error.code).toBe('invalid_signature');
    backend.clock.forward(-3_600_000);
    const since = encodeURIComponent(new Date(backend.clock.now() + 60_000).toISOString());
    expect((await get(`/stripeEvents?status=done&since=${since}`)).body.count).toBe(0);
    expect((await get('/stripeEvents?status=done&since=2020-01-01T00:00:00Z')).body.count).toBe(1);
  });

  it('from Stripe shows events that never arrived along with the status of the others', async () => {
    const user = await people.subscribed();
    const [first] = people.events();
    if (first === undefined) throw new Error('nothing has happened');
    await people.deliver(first);
    const { body } = await get('/stripeEvents?source=stripe&since=2020-01-01T00:00:00Z&limit=2');
    expect(body.events).toHaveLength(2);
    const rest = (await get(`/stripeEvents?source=stripe&since=2020-01-01T00:00:00Z&cursor=${body.nextCursor}`)).body;
    const all = [...body.events, ...rest.events];
    expect(all.map(({ status }: { status: string }) => status).sort()).toEqual(['done', 'unseen', 'unseen']);
    for (const one of all) expect(one.customerId).toBe(user.subscription.customer);
  });

  it.each([
    '/stripeEvents?status=lost',
    '/stripeEvents?since=yesterday',
    '/stripeEvents?cursor=bm90LWEtY3Vyc29y',
    '/stripeEvents?source=stripe&cursor=bm90LWEtY3Vyc29y',
    '/stripeEvents/in_1',
  ])('rejects %s', async (path) => {
    const answer = await get(path);
    expect([answer.status, answer.body.error.code]).toEqual([400, 'validation_failed']);
  });

  it("needs Stripe for Stripe's own events", async () => {
    backend.stripe.setFaults([{ status: 500 }]);
    const answer = await get('/stripeEvents?source=stripe&since=2020-01-01T00:00:00Z');
    expect([answer.status, answer.body.error.code]).toEqual([503, 'billing_unavailable']);
  });
});

describe('a replay', () => {
  it("processes an event that never arrived, using Stripe's data", async () => {
    const user = await people.subscribed();
    const [first] = people.events();
    expect((await replay(first?.id ?? '')).body).toEqual({ ok: true, eventId: first?.id, outcome: 'applied' });
    expect((await replay(first?.id ?? '')).body.outcome).toBe('unchanged');
    expect((await people.status(user)).isPremium).toBe(true);
  });

  it('processes an event that Stripe no longer has, from a ledger entry without personal data', async () => {
    const user = await people.subscribed();
    const event = {
      id: 'evt_forgotten',
      type: 'invoice.paid',
      created: 1,
      object: { object: 'invoice', customer: user.subscription.customer, customer_email: 'ada@example.com' },
    };
    backend.stripe.setFaults([{ match: '^GET /v1/subscriptions', status: 500 }]);
    expect((await people.deliver(event)).status).toBe(503);
    backend.stripe.setFaults([]);
    const kept = (await backend.scan('rateLimits')).find((one) => one['id'] === 'stripe-event#evt_forgotten');
    expect(JSON.stringify(kept)).not.toMatch(new RegExp(`ada@|${user.uid}`));
    expect((await replay('evt_forgotten')).body).toMatchObject({ ok: true, outcome: 'applied' });
    expect((await get('/stripeEvents/evt_forgotten')).body.event).toMatchObject({ status: 'done', attempts: 2 });
  });

  it('of an unknown event is 404', async () => {
    const answer = await replay('evt_nowhere');
    expect([answer.status, answer.body.error.code]).toEqual([404, 'event_not_found']);
  });

  it('is refused while the event is being delivered', async () => {
    await people.subscribed();
    const [event] = people.events();
    if (event === undefined) throw new Error('nothing has happened');
    const { until, letGo } = gate();
    backend.stripe.setFaults([{ match: '^GET /v1/subscriptions', until, times: 1 }]);
    const met = backend.stripe.faultsMet();
    const delivering = people.deliver(event);
    await expect.poll(() => backend.stripe.faultsMet()).toBe(met + 1);
    const answer = await replay(event.id);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'event_in_progress']);
    letGo();
    expect((await delivering).status).toBe(200);
  });
});
