import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cognitoUsers } from '../../tools/run/local-stack/cognito/cognito-users.ts';
import { portOf } from '../../tools/run/local-stack/process/ports.ts';
import { type Stack, startStack } from '../../tools/run/local-stack/stack.ts';
import { plainVisitor, startBrowser, type Visitor } from '../support/browser.ts';
import { runTool } from '../support/run-tool.ts';
import { bearer } from '../support/tokens.ts';

const DAY = 24 * 60 * 60;
const PASSWORD = 'Aw1!password-for-tests';

let directory: string;
let stack: Stack;
let app: Server;
let appUrl: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'autowatering-billing-'));
  // The web app that the pages return to.
  app = createServer((request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end(
      `<!doctype html><title>The app</title><p>Back in the app: ${new URL(request.url ?? '/', appUrl).search}</p>`,
    );
  });
  await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve));
  appUrl = `http://127.0.0.1:${portOf(app)}`;
  stack = await startStack({ directory, ownPorts: true, env: { RETURN_URL_ALLOWED_ORIGINS: appUrl } });
});
afterAll(async () => {
  await stack.stop();
  await new Promise((resolve) => app.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

/** The subscriber, with the API as their app calls it. */
async function signUp(email: string) {
  const pool = cognitoUsers(stack.info.cognito);
  await pool.signUp(email, PASSWORD);
  const { idToken } = await pool.logIn(email, PASSWORD);
  const call = async (route: string, body?: unknown) => {
    const response = await fetch(new URL(route, stack.info.apiBaseUrl), {
      headers: { ...bearer(idToken), 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: answers of every shape, each compared with what it should hold
    const answer: any = await response.json();
    return { status: response.status, body: answer };
  };
  return {
    call,
    status: async () => (await call('/subscriptionStatus')).body,
    /** The stored snapshot only, as written by webhooks, without calling Stripe. */
    stored: async () => (await call('/exportMyData')).body.billing,
    checkout: async () =>
      call('/createSubscriptionCheckout', {
        successUrl: `${appUrl}/premium?checkout=success`,
        cancelUrl: `${appUrl}/premium?checkout=cancel`,
      }),
    portal: async () => (await call('/createBillingPortalSession', { returnUrl: `${appUrl}/premium` })).body.url,
  };
}

async function forward(days: number): Promise<void> {
  const answer = await fetch(new URL('/_clock', stack.info.stripe.endpoint), {
    method: 'PUT',
    body: JSON.stringify({ forwardSeconds: days * DAY }),
  });
  expect(answer.status).toBe(200);
}

/** Waits until every sent event has been accepted. */
const allDelivered = () => stack.engines.stripe.webhooks.settled();

const VISITORS: readonly { readonly how: string; start(): Promise<Visitor> }[] = [
  { how: 'over HTTP', start: async () => plainVisitor() },
  { how: 'in a real browser', start: () => startBrowser() },
];

describe.each(VISITORS)('a subscriber, $how,', ({ how, start }) => {
  it('goes from the trial to the deletion of the account', async () => {
    const email = `${how.includes('HTTP') ? 'http' : 'browser'}@story.example.com`;
    const person = await signUp(email);
    const visitor = await start();
    try {
      const first = (await person.checkout()).body;
      expect(await visitor.open(first.url)).toContain('7 days free');
      expect(await visitor.press('Decline')).toContain('Your card was declined');
      expect(await person.status()).toMatchObject({ isPremium: false, status: 'none' });
      expect(await visitor.press('Cancel')).toContain('checkout=cancel');
      await visitor.open(first.url);
      expect(await visitor.press('Pay (start the trial)')).toContain('Back in the app: ?checkout=success');
      await allDelivered();
      expect((await person.stored()).subscription).toMatchObject({ status: 'trialing', plan: 'monthly' });
      expect(await person.status()).toMatchObject({ isPremium: true, status: 'trialing', trialUsed: true });
      expect(await person.checkout()).toMatchObject({ status: 409, body: { error: { code: 'already_subscribed' } } });

      await forward(8);
      await allDelivered();
      expect((await person.stored()).subscription).toMatchObject({ status: 'active' });

      // The card fails.
      await visitor.open(await person.portal());
      expect(await visitor.press('Use a card that is declined')).toContain('a card that is declined');
      await forward(30);
      await allDelivered();
      expect((await person.stored()).subscription).toMatchObject({ status: 'past_due' });
      expect(await person.status()).toMatchObject({ isPremium: false, status: 'past_due' });

      // The next payment succeeds.
      await visitor.open(await person.portal());
      expect(await visitor.press('Use a card that works')).toContain('active');
      await allDelivered();
      expect(await person.status()).toMatchObject({ isPremium: true, status: 'active' });

      // The subscription is cancelled at the end of the period, and ends.
      expect(await visitor.press('Cancel at the end of the period')).toContain('Ends on');
      await allDelivered();
      expect((await person.stored()).subscription).toMatchObject({ status: 'active', cancelAtPeriodEnd: true });
      await forward(31);
      await allDelivered();
      expect((await person.stored()).subscription).toMatchObject({ status: 'canceled' });
      expect(await person.status()).toMatchObject({ isPremium: false, status: 'canceled' });

      // Subscribing again, without a trial.
      const again = (await person.checkout()).body;
      expect(await visitor.open(again.url)).not.toContain('free');
      await visitor.press('Pay');
      await allDelivered();
      expect(await person.status()).toMatchObject({ isPremium: true, status: 'active', trialUsed: true });

      // Account deletion.
      expect((await person.call('/deleteMyAccount', { confirmText: 'DELETE' })).status).toBe(200);
      await allDelivered();
      const { state } = stack.engines.stripe;
      const customer = state.all('customers').find((one) => one.email === email);
      expect(customer?.metadata).toEqual({});
      const theirs = state.all('subscriptions').filter((one) => one.customer === customer?.id);
      expect(theirs.map(({ status }) => status)).toEqual(['canceled', 'canceled']);
      expect((await person.call('/subscriptionStatus')).status).toBe(410);
      expect(stack.engines.stripe.webhooks.deliveries.every((one) => one.state === 'delivered')).toBe(true);

      // The same person signs up again: the trial stays used.
      const newcomer = await signUp(email);
      const page = await visitor.open((await newcomer.checkout()).body.url);
      expect(page).toContain('AutoWatering Premium');
      expect(page).not.toContain('free');
    } finally {
      await visitor.leave();
    }
  }, 60_000);
});

describe("the local Stripe's pages", () => {
  it('fit a phone and are readable in light and dark mode', async () => {
    const person = await signUp('pages@story.example.com');
    const { url } = (await person.checkout()).body;
    for (const colorScheme of ['light', 'dark'] as const) {
      const visitor = await startBrowser({ colorScheme });
      try {
        for (const address of [url, stack.info.stripe.endpoint]) {
          await visitor.open(address);
          const [page] = visitor.browser.contexts().flatMap((context) => context.pages());
          const { fits, color, backgroundColor } = Looks.parse(await page?.evaluate(LOOKS));
          expect(fits).toBe(true);
          expect(luminance(color) > luminance(backgroundColor)).toBe(colorScheme === 'dark');
          expect(contrast(color, backgroundColor)).toBeGreaterThan(7);
        }
      } finally {
        await visitor.leave();
      }
    }
  }, 60_000);
});

/** Runs in the page. */
const LOOKS = `(() => {
  const { color, backgroundColor } = getComputedStyle(document.body);
  return { fits: document.documentElement.scrollWidth <= innerWidth, color, backgroundColor };
})()`;
const Looks = z.object({ fits: z.boolean(), color: z.string(), backgroundColor: z.string() });

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [...color.matchAll(/\d+/g)].map(([part]) => {
    const share = Number(part) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

describe('npm run webhooks', () => {
  const webhooks = (...args: string[]) => runTool('webhooks', [...args]);
  const here = () => ['--stack', directory];
  const setDeliveries = async (faults: object) => {
    const answer = await fetch(new URL('/_webhooks', stack.info.stripe.endpoint), {
      method: 'PUT',
      body: JSON.stringify(faults),
    });
    expect(answer.status).toBe(200);
  };

  it('replays missed events, safely when repeated, and shows what is known about them', async () => {
    const person = await signUp('dropped@story.example.com');
    await setDeliveries({ drop: true });
    const visitor = plainVisitor();
    await visitor.open((await person.checkout()).body.url);
    await visitor.press('Pay (start the trial)');
    await setDeliveries({});
    expect((await person.stored()).subscription).toBeNull();
    // Stripe's clock is some months ahead here, after the tests above.
    const since = ['--since', '2020-01-01'];

    const missing = await webhooks('list', '--at-stripe', ...since, ...here());
    expect(missing.stderr).toBe('');
    expect(missing.stdout).toMatch(/unseen +evt_\w+ {2}checkout\.session\.completed/);
    const wanted = await webhooks('replay', '--dry-run', ...since, ...here());
    expect(wanted.stdout.trim().split('\n').length).toBeGreaterThanOrEqual(3);
    const replayed = await webhooks('replay', ...since, ...here());
    expect([replayed.code, replayed.stderr]).toEqual([0, '']);
    expect(replayed.stdout).toMatch(/3 replayed, 0 failed/);
    expect((await person.stored()).subscription).toMatchObject({ status: 'trialing' });
    expect((await webhooks('replay', ...since, ...here())).stdout).toContain('0 replayed, 0 failed');

    const done = await webhooks('list', '--json', ...here());
    const [event] = done.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const again = await webhooks('replay', event.eventId, '--json', ...here());
    expect(JSON.parse(again.stdout)).toEqual({ eventId: event.eventId, ok: true, outcome: 'unchanged' });
    const shown = await webhooks('show', event.eventId, ...here());
    expect(shown.stdout).toMatch(/Status +done/);
    expect(shown.stdout).toMatch(/Attempts +2/);
  });

  it('replays failed events, and exits with 1 for those that fail again', async () => {
    const person = await signUp('failed@story.example.com');
    const visitor = plainVisitor();
    const { url } = (await person.checkout()).body;
    const refusal = JSON.stringify({ error: { type: 'invalid_request_error', message: 'told to refuse' } });
    stack.engines.stripe.setFaults([{ match: '^GET /v1/subscriptions', status: 400, body: refusal }]);
    await visitor.open(url);
    await visitor.press('Pay (start the trial)');
    const seen = () => webhooks('list', '--failed', '--json', ...here());
    await expect.poll(async () => (await seen()).stdout.split('\n').length, { timeout: 15_000 }).toBeGreaterThan(1);
    // An event that Stripe is redelivering is not listed as failed.
    const replay = async () => {
      const { code, stdout } = await webhooks('replay', '--failed', ...here());
      return `${stdout}exit code ${code}`;
    };
    await expect.poll(replay, { timeout: 20_000 }).toMatch(/(internal_error|event_in_progress)[\s\S]*exit code 1$/);
    const shown = JSON.parse((await seen()).stdout.split('\n')[0] ?? '');
    expect(shown).toMatchObject({ status: 'failed', error: 'StripeRefusedError: Stripe refused: invalid' });
    stack.engines.stripe.setFaults([]);
    // Stripe's own redeliveries continue. Whichever comes first does the work.
    await expect
      .poll(async () => (await webhooks('replay', '--failed', ...here())).stdout, { timeout: 20_000 })
      .toContain('0 replayed, 0 failed');
    expect((await person.stored()).subscription).toMatchObject({ status: 'trialing' });
  }, 60_000);

  it('prints its help, and exits with 2 for wrong usage', async () => {
    const help = await webhooks('replay', '--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toContain('Examples:');
    expect((await webhooks('show')).code).toBe(2);
    expect((await webhooks('list', '--since', 'yesterday')).code).toBe(2);
    const nothing = await webhooks('replay', ...here());
    expect([nothing.code, nothing.stderr]).toEqual([
      1,
      'Error: replay needs a selection: event ids, --failed, --kept or --since.\n',
    ]);
    const unknown = await webhooks('show', 'evt_nowhere', ...here());
    expect(unknown.stderr).toContain('event_not_found');
  });
});
