import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Fault } from '../../../tools/run/local-stack/stand-in-server.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { callEveryRoute, everyRoute, type RouteCall, type TimedAnswer } from '../../support/every-route.ts';
import { incompressible } from '../../support/incompressible.ts';
import { type KeySetProxy, startKeySetProxy } from '../../support/key-set-proxy.ts';
import { releasesOf } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let keys: KeySetProxy;
let calls: ReadonlyMap<string, () => RouteCall>;

beforeAll(async () => {
  keys = await startKeySetProxy();
  backend = await startBackend({
    DYNAMODB_TIMEOUT_MS: '400',
    DEPENDENCY_WAIT_MS: '1000',
    SECRETS_CACHE_SECONDS: '0',
    COGNITO_JWKS_URI: keys.url,
  });
  calls = await everyRoute(backend);
});
afterAll(() => Promise.all([backend.stop(), keys.stop()]));
afterEach(() => {
  for (const standIn of [backend.dynamo, backend.s3, backend.secretsManager, keys]) standIn.setFaults([]);
  // Health reports are cached for a few seconds.
  backend.clock.forward(10_000);
});

/** Timeouts take a second here. The rest allows for sixty parallel requests on a busy machine. */
const SOON_MS = 8_000;
const AWAY: readonly (readonly [string, Fault])[] = [
  ['hangs', { hang: true }],
  ['cuts its connections', { drop: true }],
  ['answers 500', { status: 500 }],
  ['stops in the middle of an answer', { half: true }],
];

function expectOutageForm(answers: readonly TimedAnswer[]): void {
  const wrong = answers.filter(({ status, ms, headers, body }) => {
    if (status < 500) return ms > SOON_MS;
    const isReport = Array.isArray(body.checks) || 'provider' in body;
    const isOAuth = typeof body.error_description === 'string' && headers.get('x-request-id') !== null;
    const isInForm =
      isReport || isOAuth || (typeof body.error.message === 'string' && body.error.requestId !== undefined);
    return status !== 503 || ms > SOON_MS || !isInForm || !(Number(headers.get('retry-after')) > 0);
  });
  expect(wrong.map(({ route, status, ms, body }) => [route, status, Math.round(ms), body])).toEqual([]);
}

const away = (answers: readonly TimedAnswer[]) =>
  answers.filter(({ status }) => status === 503).map(({ route }) => route);

describe('while DynamoDB is down', () => {
  it.each(AWAY)('every route that needs it soon answers 503 with Retry-After: it %s', async (_how, fault) => {
    backend.dynamo.setFaults([fault]);
    const answers = await callEveryRoute(backend, calls);
    expectOutageForm(answers);
    const without = new Set([
      ...['GET /appReturn', 'GET /health', 'GET /ota/signing-keys', 'GET /.well-known/jwks.json'],
      // A link that nobody signed is one without looking.
      ...['GET /notifications/unsubscribe', 'POST /notifications/unsubscribe'],
    ]);
    const served = answers.filter(({ status }) => status !== 503).map(({ route }) => route);
    expect(served.filter((route) => !without.has(route))).toEqual([]);
    expect(JSON.stringify(answers.map(({ body }) => body))).not.toMatch(/ECONN|socket|DynamoDB|autowatering-/);
  });
});

describe('while S3 is down', () => {
  it.each(AWAY)('routes fail only with 503, and soon: it %s', async (_how, fault) => {
    const big = newUser();
    const save = (base?: number) => ({
      headers: big.headers,
      body: { state: { text: incompressible(500_000) }, ...(base === undefined ? {} : { baseDocVersion: base }) },
    });
    expect((await backend.call('/saveUserState', save())).status).toBe(200);
    backend.s3.setFaults([fault]);
    const more = new Map<string, () => RouteCall>([
      ['save a large state', () => ({ path: '/saveUserState', ...save() })],
      ['read a large state', () => ({ path: '/getUserState', headers: big.headers })],
      ['export a large state', () => ({ path: '/exportMyData', headers: big.headers })],
      [
        'publish',
        () => ({
          path: '/ota/releases/1.2.0/publish',
          headers: { 'x-admin-token': backend.secrets.adminToken },
          body: { channel: 'stable' },
        }),
      ],
      ['health', () => ({ path: '/health/deep' })],
    ]);
    const answers = await callEveryRoute(backend, more);
    expectOutageForm(answers);
    expect(away(answers)).toEqual([...more.keys()]);
  });
});

describe('while Secrets Manager is down', () => {
  it.each(AWAY)('routes fail only with 503, and soon: it %s', async (_how, fault) => {
    backend.secretsManager.setFaults([fault]);
    const answers = await callEveryRoute(backend, calls);
    expectOutageForm(answers);
    expect(away(answers)).toEqual(
      expect.arrayContaining(['POST /provision', 'GET /ota/releases', 'POST /stripeWebhook']),
    );
  });
});

describe("while Cognito's keys are unavailable", () => {
  it.each(AWAY)('signed-in callers soon get 503 and everyone else is served: the key set %s', async (_how, fault) => {
    const lonely = await startBackend({ COGNITO_JWKS_URI: keys.url });
    keys.setFaults([fault]);
    const answers = await callEveryRoute(
      lonely,
      new Map<string, () => RouteCall>([
        ['signed in', () => ({ path: '/myDevices', headers: newUser().headers })],
        ['signed in, asking for an update', () => ({ path: '/ota/latest', headers: newUser().headers })],
        ['anonymous', () => ({ path: '/ota/latest' })],
      ]),
    );
    expectOutageForm(answers);
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 200]);
    await lonely.stop();
  });
});

describe('with production settings', () => {
  it('saving a large state fails within seconds while S3 is down', async () => {
    const real = await startBackend({ DYNAMODB_TIMEOUT_MS: '1000', DEPENDENCY_WAIT_MS: '3000' });
    const save = () =>
      real.call('/saveUserState', { headers: newUser().headers, body: { state: { text: incompressible(500_000) } } });
    real.s3.setFaults([{ hang: true }]);
    const started = performance.now();
    expect(await save()).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
    expect(performance.now() - started).toBeLessThan(SOON_MS);
    real.s3.setFaults([]);
    expect((await save()).status).toBe(200);
    await real.stop();
  });
});

describe('after an outage', () => {
  it('every route is served again', async () => {
    backend.dynamo.setFaults([{ drop: true }]);
    expect((await backend.call('/myDevices', { headers: newUser().headers })).status).toBe(503);
    backend.dynamo.setFaults([]);
    expect((await backend.call('/myDevices', { headers: newUser().headers })).status).toBe(200);
  });

  it('a slow request is not cut off as long as everything answers', async () => {
    const slow = await startBackend({ DEPENDENCY_WAIT_MS: '1000' });
    await releasesOf(slow).draft('1.2.0', 'stable');
    slow.dynamo.setFaults([{ latencyMs: 350 }]);
    const started = performance.now();
    const answer = await releasesOf(slow).post('/ota/releases/1.2.0/publish', { channel: 'stable' });
    expect(answer.status).toBe(200);
    expect(performance.now() - started).toBeGreaterThan(1_000);
    slow.dynamo.setFaults([]);
    await slow.stop();
  });
});
