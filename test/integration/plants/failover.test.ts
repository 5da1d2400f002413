import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CallLimits } from '../../../src/platform/plant-providers/kindwise.ts';
import type { Fault } from '../../../tools/run/local-stack/stand-in-server.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import type { TestUser } from '../../support/billing.ts';
import { gardeners } from '../../support/gardeners.ts';
import { jpeg, photoForm, webp } from '../../support/photos.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let people: ReturnType<typeof gardeners>;
let user: TestUser;

/** Everyone may ask, so that many tests can share a backend without each of them buying premium. */
const OPEN_TO_ALL = {
  AI_DOCTOR_REQUIRES_PREMIUM: 'false',
  PLANT_ID_REQUIRES_PREMIUM: 'false',
  AI_DOCTOR_DAILY_LIMIT_FREE: '100',
  AI_DOCTOR_MONTHLY_LIMIT_FREE: '100',
  PLANT_ID_DAILY_LIMIT_FREE: '100',
  PLANT_ID_MONTHLY_LIMIT_FREE: '100',
};
const HTML = '<!doctype html><title>502 Bad Gateway</title>';
const TROUBLES: readonly { readonly how: string; readonly fault: Fault; readonly reason: string }[] = [
  { how: 'drops the connection', fault: { drop: true }, reason: 'unreachable' },
  {
    how: 'refuses the key',
    fault: { status: 401, body: 'The specified api key does not exist.' },
    reason: 'refused_key',
  },
  { how: 'demands payment', fault: { status: 402 }, reason: 'exhausted' },
  { how: 'is out of credits', fault: { status: 429 }, reason: 'exhausted' },
  { how: 'fails', fault: { status: 500 }, reason: 'server_error' },
  { how: 'sends malformed JSON', fault: { status: 200, body: '{"access_token":' }, reason: 'malformed' },
  { how: 'sends JSON of another shape', fault: { status: 200, body: '{"ok":true}' }, reason: 'malformed' },
  { how: 'sends HTML', fault: { status: 200, body: HTML }, reason: 'malformed' },
  { how: 'sends half a body', fault: { half: true }, reason: 'unreachable' },
  { how: 'rejects the photo', fault: { status: 400, body: 'Image is broken' }, reason: 'rejected' },
];
const counted = (name: string) => backend.metrics.counted.filter((one) => one === name).length;

describe('with one provider in trouble', () => {
  beforeAll(async () => {
    backend = await startBackend(OPEN_TO_ALL);
    people = gardeners(backend);
  });
  afterAll(() => backend.stop());
  beforeEach(async () => {
    user = newUser();
    backend.metrics.counted.length = 0;
    for (const provider of Object.values(backend.plants)) provider.setFaults([]);
    const TableName = backend.services.config.tables.rateLimits;
    const names = ['kindwise', 'plantnet', 'gbif'];
    await Promise.all(names.map((name) => backend.tables.delete({ TableName, Key: { id: `provider#${name}` } })));
    // Nor is a circuit remembered.
    backend.clock.forward(5_001);
  });

  describe.each(TROUBLES)('when Kindwise $how', ({ fault, reason }) => {
    beforeEach(() => backend.plants.kindwise.setFaults([{ ...fault, match: 'POST /identification' }]));

    it('Pl@ntNet names the plant, and the use counts', async () => {
      const answer = await people.send('/plantId', user);
      expect([answer.status, answer.body.provider]).toEqual([200, 'plantnet']);
      expect(answer.body.suggestions).toHaveLength(3);
      expect((await people.usage(user)).plantId.dayCount).toBe(1);
      expect(counted(`ProviderFailed{provider=kindwise,reason=${reason}}`)).toBe(1);
      expect(counted(`PlantFallback{reason=${reason}}`)).toBe(1);
    });

    it('AI Doctor still names the plant without a diagnosis or a counted use, and the next answer is complete again', async () => {
      const photo = jpeg();
      const answer = await people.send('/aiDoctor', user, photoForm(photo));
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        ...{ provider: 'plantnet', degraded: true, is_healthy: null, access_token: null, llm_advice: null },
        result: { classification: { suggestions: expect.any(Array) }, disease: { suggestions: [], question: null } },
      });
      expect(answer.body.result.classification.suggestions).toHaveLength(3);
      expect((await people.usage(user)).aiDoctor).toMatchObject({ dayCount: 0, monthCount: 0 });
      backend.plants.kindwise.setFaults([]);
      // A degraded answer is not cached.
      const again = await people.send('/aiDoctor', user, photoForm(photo));
      expect([again.headers.get('x-ai-cache'), again.body.provider]).toEqual(['MISS', 'kindwise']);
    });

    it('and so does Pl@ntNet, it is 502 provider_failed, the use is refunded, and no key is revealed', async () => {
      backend.plants.plantnet.setFaults([fault]);
      const answer = await people.send('/plantId', user);
      expect([answer.status, answer.body.error.code]).toEqual([502, 'provider_failed']);
      expect(JSON.stringify(answer.body)).not.toMatch(/local-|kindwise|plantnet|key/);
      expect((await people.usage(user)).plantId).toMatchObject({ dayCount: 0, monthCount: 0 });
      expect(JSON.stringify(backend.log.lines.map(({ error, fields }) => [String(error), fields]))).not.toContain(
        'local-',
      );
      expect((await people.send('/plantId', user)).headers.get('x-ai-cache')).not.toBe('HIT');
    });
  });

  describe('when Pl@ntNet has any of these troubles', () => {
    it('nothing changes while Kindwise answers', async () => {
      for (const { how, fault } of TROUBLES) {
        backend.plants.plantnet.setFaults([fault]);
        const answer = await people.send('/plantId', user, photoForm(jpeg()));
        expect([answer.status, answer.body.provider], how).toEqual([200, 'kindwise']);
      }
    });
  });
});

describe('when a provider hangs', () => {
  /** The time granted to each provider, of which a tenth passes where the test has no more patience. */
  const granted = { kindwise: 0, plantnet: 0 };
  const isHurried = { kindwise: true, plantnet: false };
  const hurried = (name: keyof typeof granted, { timeoutMs, ...rest }: CallLimits): CallLimits => {
    granted[name] = timeoutMs;
    return { ...rest, timeoutMs: isHurried[name] ? Math.ceil(timeoutMs / 10) : timeoutMs };
  };
  beforeAll(async () => {
    backend = await startBackend(OPEN_TO_ALL, {
      instead: ({ plantProviders }) => ({
        plantProviders: async () => {
          const { kindwise, plantnet, gbif } = await plantProviders();
          return {
            kindwise: {
              ...kindwise,
              identify: (photo, { withHealth, ...limits }) =>
                kindwise.identify(photo, { withHealth, ...hurried('kindwise', limits) }),
            },
            plantnet: { identify: (photo, limits) => plantnet.identify(photo, hurried('plantnet', limits)) },
            gbif,
          };
        },
      }),
    });
    people = gardeners(backend);
  });
  afterAll(() => backend.stop());

  it('Pl@ntNet is asked next, and when that hangs too, it is 504', async () => {
    backend.plants.kindwise.setFaults([{ hang: true }]);
    const first = await people.send('/plantId', newUser());
    expect([first.status, first.body.provider]).toEqual([200, 'plantnet']);
    // Each has its share of the 18 s, and Pl@ntNet what Kindwise has left.
    expect(granted.kindwise).toBe(11_000);
    expect(granted.plantnet).toBeLessThan(18_000 - granted.kindwise / 10 + 50);
    backend.plants.plantnet.setFaults([{ hang: true }]);
    isHurried.plantnet = true;
    const both = await people.send('/plantId', newUser());
    expect([both.status, both.body.error.code]).toEqual([504, 'provider_timeout']);
  });
});

describe('with a backend of its own', () => {
  beforeEach(async () => {
    backend = await startBackend({ PLANT_ID_DAILY_LIMIT_PREMIUM: '100' });
    people = gardeners(backend);
    user = await people.premium();
  });
  afterEach(() => backend.stop());

  describe('when the caller hangs up', () => {
    it('the call to the provider is aborted and the use is refunded', async () => {
      const hungUp = new Promise<void>((resolve) => {
        backend.plants.kindwise.onHangUp(resolve);
      });
      backend.plants.kindwise.setFaults([{ hang: true }]);
      const phone = new AbortController();
      const asking = fetch(`${backend.url}/plantId`, {
        method: 'POST',
        headers: user.headers,
        body: photoForm(jpeg()),
        signal: phone.signal,
      });
      await expect.poll(() => backend.plants.kindwise.faultsMet()).toBe(1);
      expect((await people.usage(user)).plantId.dayCount).toBe(1);
      phone.abort();
      await expect(asking).rejects.toThrow();
      await hungUp;
      await expect.poll(async () => (await people.usage(user)).plantId.dayCount).toBe(0);
      // The abort does not count as a provider failure.
      expect(counted('ProviderFailed{provider=kindwise,reason=cancelled}')).toBe(1);
      expect((await backend.call('/plantIdHealth')).body.provider).toMatchObject({
        state: 'closed',
        lastFailureAt: null,
      });
    });
  });

  describe('a provider that keeps failing', () => {
    const fail = (status = 500) => backend.plants.kindwise.setFaults([{ status }]);

    it('is skipped by all containers, then tried again with one probe at a time', async () => {
      fail();
      for (let i = 0; i < 3; i += 1) await people.send('/plantId', user);
      const asked = backend.plants.kindwise.faultsMet();
      expect(asked).toBe(3);
      expect(counted('ProviderCircuitOpened{provider=kindwise}')).toBe(1);
      // Another container: same table, separate memory.
      const { createApp } = await import('../../../src/app.ts');
      const { fetchFrom } = await import('../../../src/http/adapters/fetch-adapter.ts');
      const { createServices } = await import('../../../src/services.ts');
      const services = createServices(
        { ...process.env },
        { clock: backend.clock, log: backend.log, metrics: backend.metrics },
      );
      const another = fetchFrom(createApp(services));
      const answer = await another(
        new Request('http://localhost/plantId', { method: 'POST', headers: user.headers, body: photoForm(jpeg()) }),
      );
      expect(await answer.json()).toMatchObject({ provider: 'plantnet' });
      await Promise.all(Array.from({ length: 5 }, () => people.send('/plantId', user)));
      expect(backend.plants.kindwise.faultsMet()).toBe(asked);

      backend.clock.forward(30_001);
      await Promise.all(Array.from({ length: 5 }, () => people.send('/plantId', user)));
      expect(backend.plants.kindwise.faultsMet()).toBe(asked + 1);

      backend.plants.kindwise.setFaults([]);
      backend.clock.forward(30_001);
      expect((await people.send('/plantId', user)).body.provider).toBe('kindwise');
      const back = await Promise.all(Array.from({ length: 5 }, () => people.send('/plantId', user)));
      expect(back.map(({ body }) => body.provider)).toEqual(Array.from({ length: 5 }, () => 'kindwise'));
    });

    it('is shown on the health pages with its last success', async () => {
      const health = async (service: string) => backend.call(`/${service}Health`);
      await people.send('/plantId', user);
      const well = await health('aiDoctor');
      expect(well.status).toBe(200);
      expect(well.body).toMatchObject({
        ...{ ok: true, status: 'healthy', service: 'aiDoctor', time: expect.stringMatching(/Z$/) },
        provider: { name: 'kindwise', configured: true, state: 'closed', lastSuccessAt: expect.stringMatching(/Z$/) },
      });
      fail(429);
      for (let i = 0; i < 3; i += 1) await people.send('/plantId', user);
      backend.clock.forward(5_001);
      const [doctor, names] = [await health('aiDoctor'), await health('plantId')];
      expect([doctor.status, doctor.body.ok, doctor.body.status]).toEqual([503, false, 'degraded']);
      expect([names.status, names.body.ok, names.body.status]).toEqual([200, true, 'degraded']);
      expect(doctor.body.provider).toMatchObject({
        state: 'open',
        lastTrouble: 'exhausted',
        fallback: { state: 'closed' },
      });
      backend.clock.forward(30_001);
      expect((await health('aiDoctor')).body.provider.state).toBe('half_open');
    });

    it('is not blamed for photos it rejects', async () => {
      backend.plants.kindwise.setFaults([{ status: 400 }]);
      for (let i = 0; i < 5; i += 1) await people.send('/plantId', user);
      expect(backend.plants.kindwise.faultsMet()).toBe(5);
    });

    it.each([
      // Before it, the account and the cache are read; the rate limit and the use are written.
      { what: 'read', operation: 'GetItem', before: 2 },
      { what: 'saved', operation: 'UpdateItem', before: 2 },
    ])('is still called when its state cannot be $what', async ({ operation, before }) => {
      backend.dynamo.setFaults([
        { match: operation, latencyMs: 0, times: before },
        { match: operation, status: 400, body: '{"__type":"AccessDeniedException"}', times: 1 },
      ]);
      const answer = await people.send('/plantId', user);
      expect([answer.status, answer.body.provider]).toEqual([200, 'kindwise']);
      expect(counted('ProviderHealthUnavailable{provider=kindwise}')).toBe(1);
    });
  });

  describe('an answer from the providers', () => {
    it('is empty for a photo without a plant, and not a failure', async () => {
      backend.plants.kindwise.setFaults([{ status: 500 }]);
      const nothing = { statusCode: 404, error: 'Not Found', message: 'Species not found' };
      backend.plants.plantnet.setFaults([{ status: 404, body: JSON.stringify(nothing) }]);
      const answer = await people.send('/plantId', user);
      expect(answer.body).toMatchObject({ provider: 'plantnet', best_match: null, suggestions: [] });
    });

    it('is a failure when Pl@ntNet reports its project as not found', async () => {
      backend.plants.kindwise.setFaults([{ status: 500 }]);
      backend.plants.plantnet.setFaults([{ status: 404, body: '{"message":"Project not found"}' }]);
      expect((await people.send('/plantId', user)).status).toBe(502);
    });

    it('lacks GBIF names while GBIF is down, except for cached ones', async () => {
      const photo = photoForm(jpeg());
      backend.plants.gbif.setFaults([{ status: 503 }]);
      const plain = await people.send('/plantId', user, photo);
      expect(plain.body.suggestions[0]).not.toHaveProperty('canonical_name');
      backend.plants.gbif.setFaults([{ hang: true }]);
      const slow = await people.send('/plantId', user);
      expect(slow.body.suggestions[0]).not.toHaveProperty('gbif_key');
      backend.plants.gbif.setFaults([]);
      backend.clock.forward(30_001);
      for (let i = 0; i < 6; i += 1) await people.send('/plantId', user);
      backend.plants.gbif.setFaults([{ status: 503 }]);
      const kept = await people.send('/plantId', user);
      expect(kept.body.suggestions[0].gbif_key).toMatch(/^\d+$/);
    });

    it('is cached for a day when GBIF knows the name, and for an hour when it does not', async () => {
      const named = (names: readonly string[]) => ({
        ...{ access_token: 'token', status: 'COMPLETED' },
        result: {
          classification: { suggestions: names.map((name, i) => ({ id: 'x', name, probability: 0.9 - i / 10 })) },
        },
      });
      backend.plants.kindwise.setFaults([{ status: 200, body: JSON.stringify(named(['Ficus lyrata', 'no species'])) }]);
      const { suggestions } = (await people.send('/plantId', user)).body;
      expect(suggestions[0].gbif_key).toMatch(/^\d+$/);
      expect(suggestions[1]).toEqual({ scientific_name: 'no species', probability: 0.8 });
      const kept = (await backend.scan('rateLimits')).filter((one) => String(one['id']).startsWith('result#gbif#'));
      const hours = kept.map((one) => Math.round((Number(one['expires_at']) - Date.now() / 1000) / 3600));
      expect(hours.sort((a, b) => a - b)).toEqual([1, 24]);
    });

    it('has no GBIF name when the match is only of a higher rank', async () => {
      const answer = (body: object) => backend.plants.gbif.setFaults([{ status: 200, body: JSON.stringify(body) }]);
      answer({ matchType: 'HIGHERRANK', usageKey: 7, canonicalName: 'Ficus', confidence: 97 });
      expect((await people.send('/plantId', user)).body.suggestions[0]).not.toHaveProperty('gbif_key');
    });

    it('does not keep waiting for GBIF while that hangs', async () => {
      backend.plants.gbif.setFaults([{ hang: true }]);
      await people.send('/plantId', user);
      const asked = backend.plants.gbif.faultsMet();
      for (let i = 0; i < 5; i += 1) await people.send('/plantId', user);
      expect(backend.plants.gbif.faultsMet()).toBe(asked);
    });

    it("is Kindwise's failure when the fallback does not accept WebP", async () => {
      backend.plants.kindwise.setFaults([{ status: 500 }]);
      const answer = await people.send('/plantId', user, photoForm(webp()));
      expect([answer.status, answer.body.error.code]).toEqual([502, 'provider_failed']);
      expect(backend.plants.plantnet.received).toHaveLength(0);
    });

    it('has no advice when the conversation fails', async () => {
      backend.plants.kindwise.setFaults([{ match: '/conversation', status: 500 }]);
      const answer = await people.send('/aiDoctor', user);
      expect(answer.body).toMatchObject({ provider: 'kindwise', llm_advice: null, is_healthy: expect.any(Boolean) });
      expect((await people.usage(user)).aiDoctor.dayCount).toBe(1);
    });

    it('costs no use while the keys are not set', async () => {
      backend.secretsManager.setValues({ RATE_LIMIT_SALT: backend.secrets.rateLimitSalt });
      backend.clock.forward(301_000);
      expect((await people.send('/plantId', user)).status).toBe(502);
      expect((await people.usage(user)).plantId.dayCount).toBe(0);
      expect((await backend.call('/plantIdHealth')).body).toMatchObject({ ok: false, provider: { configured: false } });
    });
  });
});
