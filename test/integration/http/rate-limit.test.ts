import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

/** The route with the lowest limit. Requests that pass it are rejected for their body and change nothing. */
const LIMIT = 10;
const attempt = (headers: Record<string, string>) =>
  backend.call('/deleteMyAccount', { headers, body: { confirmText: 'no' } });

describe('the rate limit', () => {
  it('lets exactly the remaining number of parallel requests pass (trap 4)', async () => {
    const { headers } = newUser();
    const answers = await Promise.all(Array.from({ length: LIMIT + 30 }, () => attempt(headers)));
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(LIMIT);
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited).toHaveLength(30);
    for (const { headers: got, body } of limited) {
      expect(body.error.code).toBe('rate_limited');
      expect(Number(got.get('retry-after'))).toBeGreaterThan(0);
      expect(got.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
      expect(got.get('ratelimit-policy')).toBe(`"default";q=${LIMIT};w=600`);
    }
  });

  it('reports what is left', async () => {
    const { headers } = newUser();
    expect((await attempt(headers)).headers.get('ratelimit')).toContain(`r=${LIMIT - 1};`);
    expect((await attempt(headers)).headers.get('ratelimit')).toContain(`r=${LIMIT - 2};`);
  });

  it('is counted per user and starts anew with the next window', async () => {
    const [one, two] = [newUser(), newUser()];
    await Promise.all(Array.from({ length: LIMIT + 1 }, () => attempt(one.headers)));
    expect((await attempt(one.headers)).status).toBe(429);
    expect((await attempt(two.headers)).status).toBe(400);
    backend.clock.forward(600_000);
    expect((await attempt(one.headers)).status).toBe(400);
  });

  it('stores counters that expire in seconds since 1970 (trap 6) and name nobody', async () => {
    const { uid, headers } = newUser();
    await attempt(headers);
    const items = await backend.scan('rateLimits');
    expect(JSON.stringify(items)).not.toContain(uid);
    for (const { expires_at: expiresAt } of items) {
      const secondsFromNow = Number(expiresAt) - backend.clock.now() / 1000;
      expect(secondsFromNow).toBeGreaterThan(-1200);
      expect(secondsFromNow).toBeLessThan(3600);
    }
  });

  it('lets requests pass when its table is unavailable', async () => {
    const { headers } = newUser();
    backend.dynamo.setFaults([{ match: 'UpdateItem', status: 400, body: '{"__type":"ResourceNotFoundException"}' }]);
    const answer = await attempt(headers);
    backend.dynamo.setFaults([]);
    expect(answer.status).toBe(400);
    expect(backend.metrics.counted).toContain('RateLimitUnavailable');
  });
});
