import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import {
  LOCAL_CLIENT_ID,
  LOCAL_REGION,
  LOCAL_USER_POOL_ID,
} from '../../../tools/run/local-stack/cognito/cognito-local.ts';
import { cognitoUsers } from '../../../tools/run/local-stack/cognito/cognito-users.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { bearer, newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const update = (headers: Record<string, string>, profile: unknown) =>
  backend.call('/updateProfile', { headers, body: { profile } });

describe('getProfile', () => {
  it('shows a signed-up user, from an id token and an access token alike', async () => {
    const pool = {
      endpoint: inject('cognitoUrl'),
      region: LOCAL_REGION,
      userPoolId: LOCAL_USER_POOL_ID,
      clientId: LOCAL_CLIENT_ID,
    };
    const users = cognitoUsers(pool);
    const email = `${randomUUID()}@example.com`;
    await users.signUp(email, 'Aw1!password-for-tests');
    const { idToken, accessToken } = await users.logIn(email, 'Aw1!password-for-tests');
    const [byId, byAccess] = await Promise.all(
      [idToken, accessToken].map((jwt) => backend.call('/getProfile', { headers: bearer(jwt) })),
    );
    expect(byId?.body).toMatchObject({
      email,
      emailVerified: true,
      displayName: null,
      photoURL: null,
      profile: {},
      updatedAt: null,
    });
    expect(byId?.body.createdAt).toMatch(/^\d{4}-/);
    expect(byId?.body.lastSignInAt).toMatch(/^\d{4}-/);
    expect({ ...byAccess?.body, lastSignInAt: null }).toEqual({ ...byId?.body, lastSignInAt: null });

    const photoURL = 'https://example.com/me.png';
    await update(bearer(idToken), { displayName: 'Ada', photoURL });
    const mirrored = await users.logIn(email, 'Aw1!password-for-tests');
    const fresh = await startBackend();
    const elsewhere = await fresh.call('/getProfile', { headers: bearer(mirrored.accessToken) });
    await fresh.stop();
    expect(elsewhere.body).toMatchObject({ displayName: 'Ada', photoURL, profile: {} });
  });

  it('writes nothing, so it cannot reset anything (trap 1)', async () => {
    const { headers } = newUser();
    await update(headers, { language: 'de', theme: 'dark' });
    const before = await backend.scan('users');
    const operations = backend.dynamo.operations.length;
    await backend.call('/getProfile', { headers });
    expect(backend.dynamo.operations.slice(operations).sort()).toEqual(['GetItem', 'GetItem']);
    expect(await backend.scan('users')).toEqual(before);
  });

  it("shows the token's claims while the user pool is unavailable", async () => {
    const alone = await startBackend({ AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: 'http://127.0.0.1:9' });
    const { headers } = newUser({ email: 'ada@example.com' });
    const answer = await alone.call('/getProfile', { headers });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ email: 'ada@example.com', emailVerified: true, createdAt: null });
    const saved = await alone.call('/updateProfile', { headers, body: { profile: { displayName: 'Ada' } } });
    expect(saved.body.profile.displayName).toBe('Ada');
    expect(alone.metrics.counted).toEqual(expect.arrayContaining(['UserDirectoryUnavailable', 'ProfileMirrorFailed']));
    await alone.stop();
  });
});

describe('updateProfile', () => {
  it('changes only the given fields', async () => {
    const { headers } = newUser();
    await update(headers, { language: 'de', unitSystem: 'metric', notificationsEnabled: true });
    const second = await update(headers, { theme: 'dark', notificationsEnabled: false });
    expect(second.body.profile).toEqual({
      language: 'de',
      unitSystem: 'metric',
      theme: 'dark',
      notificationsEnabled: false,
      updatedAt: second.body.updatedAt,
    });
    const read = await backend.call('/getProfile', { headers });
    expect(second.body).toEqual({ ok: true, ...read.body });
  });

  it('clears a field with an empty string', async () => {
    const { headers } = newUser();
    await update(headers, { company: 'Gardens Ltd', phone: '+49 30 1234', photoURL: 'https://example.com/x.png' });
    const cleared = await update(headers, { company: '', photoURL: '' });
    expect(cleared.body.profile).toEqual({ phone: '+49 30 1234', updatedAt: expect.any(String) });
  });

  it.each([
    { nickname: 'x' },
    { displayName: 'x'.repeat(121) },
    { displayName: 5 },
    { displayName: null },
    { notificationsEnabled: 'yes' },
    { photoURL: 'http://example.com/me.png' },
    { photoURL: 'javascript:alert(1)' },
    { photoURL: `https://example.com/${'x'.repeat(2048)}` },
    { uid: 'somebody-else' },
  ])('rejects %j and leaves the profile unchanged', async (profile) => {
    const { uid, headers } = newUser();
    const answer = await update(headers, profile);
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('validation_failed');
    const records = (await backend.scan('users')).filter((item) => item['uid'] === uid);
    expect(records.filter(({ record }) => record !== 'activity')).toEqual([]);
  });

  it('keeps concurrent changes from two phones', async () => {
    const { headers } = newUser();
    await Promise.all([
      update(headers, { language: 'fr' }),
      update(headers, { country: 'FR' }),
      update(headers, { theme: 'light' }),
    ]);
    const read = await backend.call('/getProfile', { headers });
    expect(read.body.profile).toMatchObject({ language: 'fr', country: 'FR', theme: 'light' });
  });
});
