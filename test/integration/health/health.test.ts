import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';

let backend: Backend;
beforeEach(async () => {
  backend = await startBackend();
});
afterEach(() => backend.stop());

const REPORTS = ['/health/deep', '/health/ota', '/health/stripe', '/health/provision'];

describe('health', () => {
  it('is alive, with exactly the fields the smoke test relies on (trap 12), and calls nothing', async () => {
    const answer = await backend.call('/health');
    expect(answer.body).toEqual({ ok: true, status: 'alive', timestamp: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(backend.dynamo.operations).toEqual([]);
  });

  it.each(REPORTS)('%s is healthy when everything answers', async (path) => {
    const answer = await backend.call(path);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ ok: true, status: 'healthy', latencyMs: expect.any(Number) });
    for (const check of answer.body.checks)
      expect(check).toEqual({ name: expect.any(String), ok: true, latencyMs: expect.any(Number) });
  });

  it('lists the subsystems', async () => {
    const subsystems = await Promise.all(REPORTS.map(async (path) => (await backend.call(path)).body.subsystem));
    expect(subsystems).toEqual([undefined, 'ota', 'stripe', 'provisioning']);
  });

  it('is degraded with 503 when a table is gone, and says which one but not why', async () => {
    backend.dynamo.setFaults([
      { match: 'GetItem', status: 400, body: '{"__type":"ResourceNotFoundException","message":"secret detail"}' },
    ]);
    const answer = await backend.call('/health/provision');
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({ ok: false, status: 'degraded', subsystem: 'provisioning' });
    expect(answer.body.checks[0]).toMatchObject({ name: 'table:provisioning', ok: false, error: 'unavailable' });
    expect(JSON.stringify(answer.body)).not.toContain('secret detail');
    expect(backend.log.lines.some(({ message }) => message === 'A health check failed')).toBe(true);
  });

  it('allows two seconds per check, not for the whole request', async () => {
    backend.s3.setFaults([{ hang: true }]);
    const answer = await backend.call('/health/ota');
    expect(answer.status).toBe(503);
    expect(answer.body.checks).toContainEqual({
      name: 'bucket',
      ok: false,
      latencyMs: expect.any(Number),
      error: 'timeout',
    });
    expect(answer.body.checks[0]).toMatchObject({ name: 'table:ota-releases', ok: true });
  });

  it('distinguishes a key that was never set from a service that is down', async () => {
    backend.secretsManager.setValues({ FACTORY_PROVISION_TOKEN: backend.secrets.factoryToken });
    backend.clock.forward(301_000);
    const answer = await backend.call('/health/stripe');
    expect(answer.body.checks.map(({ error }: { error?: string }) => error)).toEqual([
      'not_configured',
      'not_configured',
      undefined,
    ]);
  });

  it('is degraded when Stripe refuses the key or is down', async () => {
    backend.stripe.setFaults([{ status: 500 }]);
    expect((await backend.call('/health/stripe')).body.checks[1]).toMatchObject({
      name: 'stripe',
      ok: false,
      error: 'unavailable',
    });
  });

  it("shows the webhook's state: age of the last event, failed and waiting events", async () => {
    const people = billing(backend);
    expect((await backend.call('/health/stripe')).body.webhooks).toEqual({
      lastEventAt: null,
      lastEventAgeSeconds: null,
      failedEvents: 0,
      keptEvents: 0,
    });
    const user = await people.subscribed();
    await people.deliver(people.subscriptionEvent('customer.subscription.updated', user.subscription));
    await people.deliver(
      people.subscriptionEvent('invoice.paid', people.subscriptionAtStripe(people.customerAtStripe(), 'active')),
    );
    backend.stripe.setFaults([{ status: 500 }]);
    await people.deliver(people.subscriptionEvent('invoice.payment_failed', user.subscription));
    backend.stripe.setFaults([]);
    backend.clock.forward(120_000);
    const { webhooks } = (await backend.call('/health/stripe')).body;
    expect(webhooks).toMatchObject({ failedEvents: 1, keptEvents: 1 });
    expect(webhooks.lastEventAgeSeconds).toBeGreaterThanOrEqual(120);
    expect(webhooks.lastEventAgeSeconds).toBeLessThan(130);
  });

  it('reports when the event ledger cannot be read', async () => {
    backend.dynamo.setFaults([{ match: 'Query', status: 400, body: '{"__type":"AccessDeniedException"}' }]);
    const answer = await backend.call('/health/stripe');
    expect(answer.status).toBe(503);
    expect(answer.body.webhooks).toBeNull();
    expect(answer.body.checks[2]).toMatchObject({ name: 'webhook-ledger', ok: false, error: 'unavailable' });
  });

  it('cannot be used to hammer the database: results are cached for some seconds', async () => {
    await Promise.all(Array.from({ length: 20 }, () => backend.call('/health/deep')));
    const reads = backend.dynamo.operations.length;
    expect(reads).toBe(4);
    backend.clock.forward(5_001);
    await backend.call('/health/deep');
    expect(backend.dynamo.operations.length).toBe(8);
  });
});
