import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { gardeners } from '../../support/gardeners.ts';
import { gate } from '../../support/gate.ts';
import { jpeg, photoForm } from '../../support/photos.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let people: ReturnType<typeof gardeners>;
beforeAll(async () => {
  backend = await startBackend();
  people = gardeners(backend);
});
afterAll(() => backend.stop());
beforeEach(() => backend.clock.forward(600_000));

describe('the usage quota', () => {
  it('is shown with both limits and the time of the next reset', async () => {
    const usage = await people.usage(await people.premium());
    const fresh = { dayCount: 0, monthCount: 0, resetsAt: expect.stringMatching(/T00:00:00\.000Z$/) };
    expect(usage).toEqual({
      aiDoctor: { ...fresh, dayLimit: 5, monthLimit: 50 },
      aiDoctorFollowUp: { ...fresh, dayLimit: 20, monthLimit: 200 },
      plantId: { ...fresh, dayLimit: 20, monthLimit: 200 },
    });
    expect((await people.usage(newUser())).aiDoctor).toMatchObject({ dayLimit: 0, monthLimit: 0 });
  });

  it('is exact under concurrency: with five left, five of fifty parallel requests pass', async () => {
    const wide = await startBackend({ PLANT_ID_DAILY_LIMIT_PREMIUM: '7' });
    try {
      const crowd = gardeners(wide);
      const user = await crowd.premium();
      const send = () => crowd.send('/plantId', user, photoForm(jpeg()));
      for (let i = 0; i < 2; i += 1) expect((await send()).status).toBe(200);
      const answers = await Promise.all(Array.from({ length: 50 }, send));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(5);
      const refused = answers.filter(({ status }) => status === 429);
      expect(refused).toHaveLength(45);
      for (const { body, headers } of refused) {
        expect(body.error.code).toBe('daily_limit_reached');
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
        expect(body.error.details.resetsAt).toMatch(/T00:00:00\.000Z$/);
      }
      expect((await crowd.usage(user)).plantId).toMatchObject({ dayCount: 7, monthCount: 7 });
      expect(wide.plants.kindwise.received).toHaveLength(7);
    } finally {
      await wide.stop();
    }
  });

  it('resets with the UTC day while the month keeps counting', async () => {
    const narrow = await startBackend({ PLANT_ID_DAILY_LIMIT_PREMIUM: '1', PLANT_ID_MONTHLY_LIMIT_PREMIUM: '2' });
    try {
      const crowd = gardeners(narrow);
      const user = await crowd.premium();
      const to = (time: number) => narrow.clock.forward(time - narrow.clock.now());
      const next = new Date(narrow.clock.now());
      const monthStart = Date.UTC(next.getUTCFullYear(), next.getUTCMonth() + 1, 1);
      const { mintToken } = await import('../../../tools/run/local-stack/cognito/mint-token.ts');
      const headers = {
        Authorization: `Bearer ${mintToken({ sub: user.uid, expiresAt: monthStart / 1000 + 90 * 86_400 })}`,
      };
      const send = async () => {
        const { status, body } = await crowd.send('/plantId', { headers }, photoForm(jpeg()));
        return status === 200 ? 'ok' : body.error.code;
      };
      // Stored premium lapses without Stripe, so it is confirmed each time.
      const confirmed = async () => {
        await narrow.call('/subscriptionStatus', { headers });
        return send();
      };
      narrow.stripe.lifecycle.forward(200 * 86_400);
      to(monthStart + 3_600_000);
      expect([await confirmed(), await send()]).toEqual(['ok', 'daily_limit_reached']);
      to(monthStart + 25 * 3_600_000);
      expect(await confirmed()).toBe('ok');
      to(monthStart + 49 * 3_600_000);
      expect(await confirmed()).toBe('monthly_limit_reached');
    } finally {
      await narrow.stop();
    }
  });

  it('is unlimited at -1', async () => {
    const open = await startBackend({ PLANT_ID_DAILY_LIMIT_PREMIUM: '-1', PLANT_ID_MONTHLY_LIMIT_PREMIUM: '-1' });
    try {
      const crowd = gardeners(open);
      const user = await crowd.premium();
      for (let i = 0; i < 25; i += 1) expect((await crowd.send('/plantId', user)).status).toBe(200);
      expect((await crowd.usage(user)).plantId).toMatchObject({ dayCount: 25, dayLimit: -1, monthLimit: -1 });
    } finally {
      await open.stop();
    }
  });

  it('applies to free users where a feature does not require premium', async () => {
    const free = await startBackend({
      PLANT_ID_REQUIRES_PREMIUM: 'false',
      PLANT_ID_DAILY_LIMIT_FREE: '1',
      PLANT_ID_MONTHLY_LIMIT_FREE: '5',
    });
    try {
      const crowd = gardeners(free);
      const user = newUser();
      expect((await crowd.send('/plantId', user)).status).toBe(200);
      expect((await crowd.send('/plantId', user)).body.error.code).toBe('daily_limit_reached');
      const premium = await crowd.premium();
      for (let i = 0; i < 3; i += 1) expect((await crowd.send('/plantId', premium)).status).toBe(200);
      expect((await crowd.send('/aiDoctor', user)).body.error.code).toBe('premium_required');
    } finally {
      await free.stop();
    }
  });

  it('is also limited per address, whoever sends the requests', async () => {
    const [one, other] = [await people.premium(), await people.premium()];
    const bad = () => photoForm(undefined);
    const statuses: number[] = [];
    for (let i = 0; i < 31; i += 1)
      statuses.push((await people.send('/aiDoctor', i % 2 === 0 ? one : other, bad())).status);
    expect(statuses.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 400));
    expect(statuses[30]).toBe(429);
  });

  it('leaves no counter behind when the account is deleted during a request', async () => {
    const other = await startBackend();
    try {
      const crowd = gardeners(other);
      const user = await crowd.premium();
      const { until, letGo } = gate();
      other.plants.kindwise.setFaults([{ until, times: 1 }]);
      const asking = crowd.send('/plantId', user);
      await expect.poll(() => other.plants.kindwise.faultsMet()).toBe(1);
      const gone = await other.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
      expect(gone.status).toBe(200);
      letGo();
      expect((await asking).body.error.code).toBe('account_deleted');
      expect(JSON.stringify(await other.scan('users'))).not.toContain(user.uid);
      expect(JSON.stringify(await other.scan('rateLimits'))).not.toContain(user.uid);
    } finally {
      await other.stop();
    }
  });
});

describe('a follow-up question', () => {
  const ask = (user: { headers: Record<string, string> }, body: object) =>
    backend.call('/aiDoctor/followUp', { headers: user.headers, body });

  it('is answered for the user who sent the photo, and has its own quota', async () => {
    const user = await people.premium();
    const { access_token } = (await people.send('/aiDoctor', user)).body;
    const answer = await ask(user, { access_token, question: 'How often?' });
    expect(answer.body).toEqual({
      provider: 'kindwise',
      answer: expect.stringContaining('Water it less'),
      remaining_calls: 18,
      proxy_timestamp: expect.stringMatching(/Z$/),
    });
    expect(await people.usage(user)).toMatchObject({ aiDoctor: { dayCount: 1 }, aiDoctorFollowUp: { dayCount: 1 } });
  });

  it('is refused to others, and for a photo that does not exist', async () => {
    const [user, other] = [await people.premium(), await people.premium()];
    const { access_token } = (await people.send('/aiDoctor', user)).body;
    for (const token of [access_token, 'never-was']) {
      const answer = await ask(other, { access_token: token, question: 'What?' });
      expect([answer.status, answer.body.error.code]).toEqual([404, 'conversation_not_found']);
    }
    expect((await people.usage(other)).aiDoctorFollowUp.dayCount).toBe(0);
  });

  it('is refunded when Kindwise does not answer', async () => {
    const user = await people.premium();
    const { access_token } = (await people.send('/aiDoctor', user)).body;
    backend.plants.kindwise.setFaults([{ status: 500 }]);
    const answer = await ask(user, { access_token, question: 'What?' });
    backend.plants.kindwise.setFaults([]);
    expect([answer.status, answer.body.error.code]).toEqual([502, 'provider_failed']);
    expect((await people.usage(user)).aiDoctorFollowUp.dayCount).toBe(0);
  });

  it.each([{ question: 'x'.repeat(501) }, { question: '' }, { access_token: '' }, { more: 1 }])(
    'with %j is rejected',
    async (change) => {
      const answer = await ask(await people.premium(), { access_token: 't', question: 'q', ...change });
      expect(answer.body.error.code).toBe('validation_failed');
    },
  );

  it('requires premium', async () => {
    expect((await ask(newUser(), { access_token: 't', question: 'q' })).body.error.code).toBe('premium_required');
  });
});
