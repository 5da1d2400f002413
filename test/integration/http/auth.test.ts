import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintToken as token } from '../../../tools/run/local-stack/cognito/mint-token.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { type KeySetProxy, startKeySetProxy } from '../../support/key-set-proxy.ts';
import { bearer, newUser } from '../../support/tokens.ts';

let backend: Backend;
let keys: KeySetProxy;
beforeAll(async () => {
  [backend, keys] = await Promise.all([startBackend(), startKeySetProxy()]);
});
afterAll(() => Promise.all([backend.stop(), keys.stop()]));

describe('a user route', () => {
  it.each(['id', 'access'] as const)('accepts a valid %s token and takes the user from its sub', async (use) => {
    const { uid, headers } = newUser({ use });
    const answer = await backend.call('/getUserState', { headers });
    expect(answer.status).toBe(200);
    expect(answer.body.uid).toBe(uid);
  });

  it.each([{}, { Authorization: 'Basic dXNlcjpwdw==' }, { Authorization: 'Bearer' }])(
    'answers auth_required to a call without a token (%j)',
    async (headers) => {
      const answer = await backend.call('/getUserState', { headers });
      expect(answer.status).toBe(401);
      expect(answer.body.error.code).toBe('auth_required');
    },
  );

  const past = Math.floor(Date.now() / 1000) - 60;
  it.each([
    ['expired', token({ expiresAt: past })],
    ['of another pool', token({ poolId: 'eu-central-1_Other0001' })],
    ['of another client', token({ clientId: 'somebodyelsesclient' })],
    ['of another client (access)', token({ clientId: 'somebodyelsesclient', use: 'access' })],
    ['unsigned (alg none)', token({ algorithm: 'none' })],
    ['signed with HS256', token({ algorithm: 'HS256' })],
    ['signed by an unknown key', token({ keyId: 'Unknown' })],
    ['a refresh token', token({ use: 'refresh' })],
    ['tampered with', token().replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"me"}').toString('base64url')}.`)],
    ['not a JWT', 'abc'],
    ['too long', 'a'.repeat(9_000)],
    ['without a subject', token({ sub: '' })],
  ])('answers invalid_token to a token that is %s', async (_what, jwt) => {
    const answer = await backend.call('/getUserState', { headers: bearer(jwt) });
    expect(answer.status).toBe(401);
    expect(answer.body.error.code).toBe('invalid_token');
  });
});

describe('a route with an optional token', () => {
  it('serves a caller without a token', async () => {
    expect((await backend.call('/ota/latest')).status).toBe(200);
  });

  it('rejects a bad token', async () => {
    expect((await backend.call('/ota/latest', { headers: bearer('x.y.z') })).body.error.code).toBe('invalid_token');
  });
});

describe('a token with a made-up key id', () => {
  it('is rejected every time, fetches the keys only once, and raises no alarm', async () => {
    const guarded = await startBackend({ COGNITO_JWKS_URI: keys.url });
    const fetches = keys.fetches();
    const answers = [];
    for (const path of ['/ota/latest', '/getUserState', '/ota/latest', '/ota/latest']) {
      answers.push(await guarded.call(path, { headers: newUser({ keyId: `made-up-${answers.length}` }).headers }));
    }
    expect(answers.map(({ status, body }) => [status, body.error.code])).toEqual(Array(4).fill([401, 'invalid_token']));
    expect(keys.fetches() - fetches).toBe(1);
    expect((await guarded.call('/getUserState', { headers: newUser().headers })).status).toBe(200);
    await guarded.stop();
  });
});

describe('when the key set cannot be fetched', () => {
  it('a made-up key id gets 503 too, because it might be a new key', async () => {
    const lonely = await startBackend({ COGNITO_JWKS_URI: 'http://127.0.0.1:9/jwks.json' });
    const answer = await lonely.call('/ota/latest', { headers: newUser({ keyId: 'made-up' }).headers });
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'auth_unavailable' } } });
    await lonely.stop();
  });

  it('the key set is requested at most once a second, not for every request', async () => {
    keys.setFaults([{ status: 500 }]);
    const lonely = await startBackend({ COGNITO_JWKS_URI: keys.url });
    const before = keys.faultsMet();
    for (let i = 0; i < 5; i += 1) {
      expect((await lonely.call('/getUserState', { headers: newUser().headers })).status).toBe(503);
    }
    // Five requests take a fraction of a second; a very busy machine may run into the next one.
    expect(keys.faultsMet() - before).toBeLessThanOrEqual(2);
    keys.setFaults([]);
    await lonely.stop();
  });

  it('a user route answers 503 if something other than a key set comes back', async () => {
    keys.setFaults([{ status: 200, body: '<html>maintenance</html>' }]);
    const lonely = await startBackend({ COGNITO_JWKS_URI: keys.url });
    const answer = await lonely.call('/getUserState', { headers: newUser().headers });
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'auth_unavailable' } } });
    keys.setFaults([]);
    await lonely.stop();
  });

  it('a user route answers 503 auth_unavailable, because the token is not at fault', async () => {
    const lonely = await startBackend({ COGNITO_JWKS_URI: 'http://127.0.0.1:9/jwks.json' });
    const answer = await lonely.call('/getUserState', { headers: newUser().headers });
    expect(answer.status).toBe(503);
    expect(answer.body.error.code).toBe('auth_unavailable');
    expect(answer.headers.get('retry-after')).not.toBeNull();
    await lonely.stop();
  });
});

describe('machine tokens', () => {
  it('open only their own routes', async () => {
    const { factoryToken, adminToken } = backend.secrets;
    const list = (headers: Record<string, string>) => backend.call('/ota/releases', { headers });
    expect((await list({ 'x-admin-token': adminToken })).status).toBe(200);
    expect((await list(bearer(adminToken))).status).toBe(200);
    expect((await list({ 'x-admin-token': factoryToken })).body.error.code).toBe('invalid_token');
    expect((await list({ 'x-factory-token': factoryToken })).body.error.code).toBe('auth_required');
    expect((await list(newUser().headers)).body.error.code).toBe('invalid_token');
    const provision = await backend.call('/provision', { body: {}, headers: { 'x-factory-token': adminToken } });
    expect(provision.body.error.code).toBe('invalid_token');
  });

  it('are counted when wrong, but not when missing', async () => {
    const watched = await startBackend();
    const wrong = {
      'x-factory-token': 'a-factory-token-that-is-wrong',
      'x-admin-token': 'an-admin-token-that-is-wrong',
    };
    await watched.call('/provision', { body: {}, headers: wrong });
    await watched.call('/ota/releases', { headers: wrong });
    await watched.call('/ota/releases', { headers: wrong });
    await watched.call('/ota/releases');
    await watched.call('/provision', { body: {} });
    expect(watched.metrics.counted.filter((name) => name.startsWith('MachineTokenRefused')).sort()).toEqual([
      'MachineTokenRefused{guard=admin}',
      'MachineTokenRefused{guard=admin}',
      'MachineTokenRefused{guard=factory}',
    ]);
    await watched.stop();
  });

  it('rotate without a deploy: both are valid while both are listed, then only the new one', async () => {
    const rotating = await startBackend();
    const list = async (token: string) =>
      (await rotating.call('/ota/releases', { headers: { 'x-admin-token': token } })).status;
    const old = rotating.secrets.adminToken;
    const fresh = 'admin-a-fresh-token-of-good-length';
    const set = (adminTokens: string[]) =>
      rotating.secretsManager.setValues({
        FACTORY_PROVISION_TOKEN: rotating.secrets.factoryToken,
        OTA_ADMIN_TOKEN: adminTokens,
        RATE_LIMIT_SALT: rotating.secrets.rateLimitSalt,
      });
    expect(await list(old)).toBe(200);
    set([old, fresh]);
    rotating.clock.forward(11_000);
    expect(await list(fresh)).toBe(200);
    expect(await list(old)).toBe(200);
    set([fresh]);
    rotating.clock.forward(301_000);
    expect(await list(old)).toBe(401);
    expect(await list(fresh)).toBe(200);
    await rotating.stop();
  });

  it('cannot be used to hammer Secrets Manager: wrong tokens trigger one read in ten seconds', async () => {
    const guarded = await startBackend();
    let reads = 0;
    const values = guarded.services.secrets;
    const attempts = Array.from({ length: 20 }, (_, i) => values.isToken('OTA_ADMIN_TOKEN', `wrong-token-number-${i}`));
    expect(await Promise.all(attempts)).toEqual(Array(20).fill(false));
    guarded.secretsManager.setFaults([{ status: 500 }]);
    for (let i = 0; i < 5; i += 1) {
      const answer = await guarded.call('/ota/releases', { headers: { 'x-admin-token': `still-wrong-token-${i}` } });
      if (answer.status >= 500) reads += 1;
    }
    expect(reads).toBe(0);
    await guarded.stop();
  });
});
