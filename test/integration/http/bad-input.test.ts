import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const factory = () => ({ 'x-factory-token': backend.secrets.factoryToken });
const admin = () => ({ 'x-admin-token': backend.secrets.adminToken });
const nothingStored = async () => {
  const tables = await Promise.all([backend.scan('users'), backend.scan('provisioning'), backend.scan('otaReleases')]);
  // Every signed-in request records the user's last activity.
  expect(tables.flat().filter(({ record }) => record !== 'activity')).toEqual([]);
};

describe('an invalid body', () => {
  it.each(['', '{', '{"a":', 'null garbage', '\u0000', '{"a":1,}'].filter((body) => body !== ''))(
    'is invalid_json when it is %j',
    async (body) => {
      const answer = await backend.call('/provision', { body, headers: factory() });
      expect(answer.status).toBe(400);
      expect(answer.body.error.code).toBe('invalid_json');
    },
  );

  it('is invalid_json when it is not UTF-8', async () => {
    const answer = await backend.call('/provision', {
      body: Uint8Array.of(0x22, 0xff, 0xfe, 0x22),
      headers: factory(),
    });
    expect(answer.body.error.code).toBe('invalid_json');
  });

  it.each([[[]], ['"text"'], [17], [null], [true]])(
    'is validation_failed when it is %j instead of an object',
    async (value) => {
      const answer = await backend.call('/provision', { body: JSON.stringify(value), headers: factory() });
      expect(answer.status).toBe(400);
      expect(answer.body.error.code).toBe('validation_failed');
    },
  );

  it('is unsupported_media_type with another content type', async () => {
    const headers = { ...factory(), 'Content-Type': 'text/plain' };
    const answer = await backend.call('/provision', { body: '{"hw_id":"AABBCCDDEEFF"}', headers });
    expect(answer.status).toBe(415);
    expect(answer.body.error.code).toBe('unsupported_media_type');
    await nothingStored();
  });

  it.each(['/provision', '/claimDevice', '/saveUserState'])('is payload_too_large with 10 MB on %s', async (path) => {
    const body = JSON.stringify({ state: { text: 'x'.repeat(10_000_000) } });
    const answer = await backend.call(path, { body, headers: { ...factory(), ...newUser().headers } });
    expect(answer.status).toBe(413);
    expect(answer.body.error.code).toBe('payload_too_large');
    await nothingStored();
  });

  it('is rejected when it is nested too deeply', async () => {
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    const answer = await backend.call('/saveUserState', { body: `{"state":${deep}}`, headers: newUser().headers });
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('validation_failed');
    await nothingStored();
  });

  it.each([
    '{"state":{"__proto__":{"admin":true}}}',
    '{"__proto__":{"state":{}},"state":{}}',
    '{"state":{"deep":[{"__proto__":1}]}}',
  ])('is rejected with a __proto__ key: %s', async (body) => {
    const answer = await backend.call('/saveUserState', { body, headers: newUser().headers });
    expect(answer.status).toBe(400);
    expect(Object.hasOwn(Object.prototype, 'admin')).toBe(false);
    await nothingStored();
  });

  it('gets an error that names every invalid field', async () => {
    const body = { hw_id: 'short', status: 'revoked', metadata: { 'bad key!': 1 }, extra: true };
    const answer = await backend.call('/provision', { body, headers: factory() });
    expect(answer.body.error.code).toBe('validation_failed');
    const fields = answer.body.error.details.map(({ field }: { field: string }) => field);
    expect(fields).toEqual(expect.arrayContaining(['hw_id', 'status', 'metadata.bad key!']));
    expect(answer.body.error.details.every(({ in: part }: { in: string }) => part === 'body')).toBe(true);
    await nothingStored();
  });
});

describe('hostile text in a field', () => {
  const hostile = [
    "'; DROP TABLE users; --",
    '{"$gt":""}',
    '\u0000',
    'line\nbreak',
    '\u202e\u0007',
    '\ud800',
    '𝟙𝟚𝟛𝟜𝟝𝟞',
    '٠٠٠٠٠١',
    '../../etc/passwd',
    '000001 ',
  ];
  it.each(hostile)('%j is rejected as a serial', async (serial) => {
    const answer = await backend.call('/claimDevice', { body: { serial }, headers: newUser().headers });
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('validation_failed');
  });

  it.each(hostile)('%j is rejected as a hardware id', async (hwId) => {
    const answer = await backend.call('/provision', { body: { hw_id: hwId }, headers: factory() });
    expect(answer.body.error.code).toBe('validation_failed');
  });

  it.each([1, true, null, {}, [], ['000001']])('%j is rejected as a serial', async (serial) => {
    const answer = await backend.call('/claimDevice', { body: { serial }, headers: newUser().headers });
    expect(answer.body.error.code).toBe('validation_failed');
  });

  it.each(['\u0000', 'a\u0007b', 'line\nbreak', '\ud800'])('%j is rejected as a display name', async (displayName) => {
    const body = `{"profile":${JSON.stringify({ displayName })}}`;
    const answer = await backend.call('/updateProfile', { body, headers: newUser().headers });
    expect(answer.body.error.code).toBe('validation_failed');
  });

  it('harmless text in any script is stored unchanged', async () => {
    const { headers } = newUser();
    const displayName = "Zoë O'Brien – 李雷 🌱 <b>&amp;</b>";
    const answer = await backend.call('/updateProfile', { body: { profile: { displayName } }, headers });
    expect(answer.body.profile.displayName).toBe(displayName);
  });
});

describe('an invalid version', () => {
  const bad = [
    '1.2',
    '01.2.3',
    '1.2.3-',
    '1',
    'latest',
    '1.2.3.4',
    '',
    'v',
    'vv1.2.3',
    ' 1.2.3',
    `1.${'9'.repeat(400)}.0`,
    '1.2.3-a..b',
    '-1.2.3',
  ];

  it.each(bad)('%j is rejected in a new release', async (version) => {
    const body = { version, artifact_size_bytes: 1000, artifact_sha256: 'a'.repeat(64) };
    const answer = await backend.call('/ota/releases', { body, headers: admin() });
    expect(answer.status).toBe(400);
    expect(await backend.scan('otaReleases')).toEqual([]);
  });
});

describe('query parameters', () => {
  it.each(['limit=0', 'limit=101', 'limit=ten', 'limit=1e2', 'cursor=***', 'cursor=bm90LWEtY3Vyc29y'])(
    '%s is refused in a list',
    async (query) => {
      const mine = await backend.call(`/myDevices?${query}`, { headers: newUser().headers });
      expect(mine.body.error.code).toBe('validation_failed');
      const releases = await backend.call(`/ota/releases?${query}`, { headers: admin() });
      expect(releases.body.error.code).toBe('validation_failed');
    },
  );

  it('a cursor that points elsewhere in the table is rejected', async () => {
    const elsewhere = Buffer.from(JSON.stringify([1, 'profile'])).toString('base64url');
    const answer = await backend.call(`/myDevices?cursor=${elsewhere}`, { headers: newUser().headers });
    expect(answer.body.error.code).toBe('validation_failed');
    const offer = Buffer.from(JSON.stringify([1, '#offer'])).toString('base64url');
    const releases = await backend.call(`/ota/releases?cursor=${offer}`, { headers: admin() });
    expect(releases.body.error.code).toBe('validation_failed');
  });

  it('unknown parameters are ignored: future apps may send more', async () => {
    expect((await backend.call('/ota/latest?utm_source=app&platform=ios')).status).toBe(200);
  });
});
