import { generateKeyPairSync } from 'node:crypto';
import { generatePeerKey, memoryPins, peerKeyOf, peerTokens, registerPeer } from '@autowatering/relay-client';
import { importJWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { exportPeerKey, importPeerKey } from '../../../relay-client/crypto/peer-key.ts';
import { pinnedServerKeys } from '../../../relay-client/session/server-keys.ts';

type Route = (form: URLSearchParams, body: string) => { status?: number; body: object } | undefined;

/** An API with these routes; a route without an answer is a connection that breaks. */
function api(routes: Readonly<Record<string, Route>>) {
  const asked: string[] = [];
  return {
    asked,
    fetch: async (url: string, init: { body?: string } = {}) => {
      const { pathname } = new URL(url);
      const form = new URLSearchParams(init.body ?? '');
      asked.push(`${pathname} ${form.get('grant_type')?.split(':').at(-1) ?? ''}`.trim());
      const answer = routes[pathname]?.(form, init.body ?? '');
      if (answer === undefined) throw new TypeError('fetch failed');
      const { status = 200, body } = answer;
      return { ok: status < 400, status, text: async () => JSON.stringify(body) };
    },
  };
}

const apiUrl = 'https://api.example.com/';
const now = Date.now();

describe('a peer’s tokens', () => {
  it('are got by an assertion that a foreign library accepts', async () => {
    const key = await peerKeyOf(await generatePeerKey());
    let assertion = '';
    const { fetch } = api({
      '/relay/token': (form) => {
        assertion = form.get('assertion') ?? '';
        return { body: { access_token: 'one', token_type: 'Bearer', expires_in: 3600, refresh_token: 'r1' } };
      },
    });
    const tokens = peerTokens({ apiUrl, peerId: 'peer-1', key, fetch });
    expect(await tokens({ refresh: false })).toBe('one');
    const jwk = await importJWK({ kty: 'OKP', crv: 'Ed25519', x: key.publicKey }, 'EdDSA');
    const { payload } = await jwtVerify(assertion, jwk, {
      issuer: 'peer-1',
      subject: 'peer-1',
      audience: 'https://api.example.com/relay/token',
      maxTokenAge: '5 minutes',
    });
    expect(payload.jti).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('are renewed before they end, by each refresh token once', async () => {
    const key = await peerKeyOf(await generatePeerKey());
    let clock = now;
    let given = 0;
    const used: (string | null)[] = [];
    const { fetch, asked } = api({
      '/relay/token': (form) => {
        if (form.get('grant_type') === 'refresh_token') used.push(form.get('refresh_token'));
        // The second refresh is lost on the way.
        if (used.length === 2 && form.has('refresh_token')) return undefined;
        given += 1;
        return { body: { access_token: `a${given}`, expires_in: 3600, refresh_token: `r${given}` } };
      },
    });
    const tokens = peerTokens({ apiUrl, peerId: 'peer-1', key, fetch, now: () => clock });
    const [one, same] = await Promise.all([tokens({ refresh: false }), tokens({ refresh: false })]);
    expect([one, same]).toEqual(['a1', 'a1']);
    clock += 59 * 60_000;
    expect(await tokens({ refresh: false })).toBe('a2');
    expect(await tokens({ refresh: true })).toBe('a3');
    expect(await tokens({ refresh: true })).toBe('a4');
    expect(new Set(used).size).toBe(used.length);
    expect(asked).toEqual([
      '/relay/token jwt-bearer',
      '/relay/token refresh_token',
      '/relay/token refresh_token',
      '/relay/token jwt-bearer',
      '/relay/token refresh_token',
    ]);
  });

  it('are not refused because of a clock that is wrong', async () => {
    const key = await peerKeyOf(await generatePeerKey());
    const { fetch } = api({
      '/health': () => ({ body: { timestamp: new Date(now + 3_600_000).toISOString() } }),
      '/relay/token': (form) => {
        const claims = JSON.parse(Buffer.from(form.get('assertion')?.split('.')[1] ?? '', 'base64url').toString());
        return claims.exp * 1000 > now + 3_600_000
          ? { body: { access_token: 'one', expires_in: 3600 } }
          : { status: 400, body: { error: 'invalid_grant' } };
      },
    });
    expect(await peerTokens({ apiUrl, peerId: 'p', key, fetch, now: () => now })({ refresh: false })).toBe('one');
  });

  it('are refused to a peer that was revoked, and only to that one', async () => {
    const key = await peerKeyOf(await generatePeerKey());
    const health: Route = () => ({ body: { timestamp: new Date(now).toISOString() } });
    const tokensOf = (token: Route) =>
      peerTokens({
        apiUrl,
        peerId: 'p',
        key,
        fetch: api({ '/health': health, '/relay/token': token }).fetch,
        now: () => now,
      });
    const revoked = tokensOf(() => ({ status: 400, body: { error: 'invalid_grant' } }));
    await expect(revoked({ refresh: false })).rejects.toMatchObject({ code: 'token_refused' });
    const busy = tokensOf(() => ({ status: 503, body: { error: { code: 'unavailable' } } }));
    await expect(busy({ refresh: false })).rejects.toMatchObject({ code: 'http' });
    await expect(tokensOf(() => undefined)({ refresh: false })).rejects.toMatchObject({ code: 'lost' });
  });

  it.each([
    ['a list', { body: [] }, 'The token route answered 200.'],
    ['no token', { status: 500, body: { expires_in: 3600 } }, 'The token route answered 500 without a token.'],
    ['a token without an end', { body: { access_token: 'a' } }, 'The token route answered 200 without a token.'],
  ])('are not made of an answer that is %s', async (_what, answer, message) => {
    const key = await peerKeyOf(await generatePeerKey());
    const tokens = peerTokens({ apiUrl, peerId: 'p', key, fetch: api({ '/relay/token': () => answer }).fetch });
    await expect(tokens({ refresh: false })).rejects.toMatchObject({ code: 'http', message });
  });

  it.each([{}, { timestamp: 'noon' }])(
    'are not asked for again by a clock that the API does not have: %j',
    async (body) => {
      const key = await peerKeyOf(await generatePeerKey());
      const { fetch, asked } = api({
        '/health': () => ({ body }),
        '/relay/token': () => ({ status: 400, body: { error: 'invalid_grant' } }),
      });
      const tokens = peerTokens({ apiUrl, peerId: 'p', key, fetch, now: () => now });
      await expect(tokens({ refresh: false })).rejects.toThrow('The API did not tell its time.');
      expect(asked).toHaveLength(2);
    },
  );
});

describe('registering', () => {
  const idToken = `e30.${Buffer.from(JSON.stringify({ sub: 'uid-1' })).toString('base64url')}.x`;

  it('is done again with the server’s time if ours is wrong', async () => {
    const key = await peerKeyOf(await generatePeerKey());
    const times: number[] = [];
    const { fetch } = api({
      '/relay/peers': (_form, body) => {
        times.push(JSON.parse(body).time);
        return times.length === 1
          ? { status: 400, body: { error: { code: 'clock_skew', details: { time: 7 } } } }
          : { status: 201, body: { ok: true, peer: { peer_id: 'p1' }, relay_url: 'wss://relay' } };
      },
    });
    const registered = await registerPeer({ apiUrl, idToken, name: 'A', type: 'hub', key, fetch, now: () => 5 });
    expect(registered).toEqual({ peerId: 'p1', relayUrl: 'wss://relay' });
    expect(times).toEqual([5, 7]);
  });

  it('tells the API’s code when it is refused', async () => {
    const key = await peerKeyOf(await generatePeerKey());
    const { fetch } = api({ '/relay/peers': () => ({ status: 409, body: { error: { code: 'key_in_use' } } }) });
    const registering = registerPeer({ apiUrl, idToken, name: 'A', type: 'hub', key, fetch });
    await expect(registering).rejects.toMatchObject({ code: 'http', message: 'key_in_use' });
  });

  it.each([
    ['something else', []],
    ['an error without a code', { error: {} }],
    ['a clock’s error without the time', { error: { details: { time: 'noon' } } }],
  ])('tells the status if the API answers %s', async (_what, body) => {
    const key = await peerKeyOf(await generatePeerKey());
    const { fetch, asked } = api({ '/relay/peers': () => ({ status: 502, body }) });
    const registering = registerPeer({ apiUrl, idToken, name: 'A', type: 'hub', key, fetch });
    await expect(registering).rejects.toMatchObject({ code: 'http', message: 'Registering was answered with 502.' });
    expect(asked).toHaveLength(1);
  });

  it('leaves the place to connect to open if the API does not name it', async () => {
    const key = await peerKeyOf(await generatePeerKey());
    const { fetch } = api({ '/relay/peers': () => ({ status: 201, body: { peer: { peer_id: 'p1' } } }) });
    const registered = await registerPeer({ apiUrl, idToken, name: 'A', type: 'hub', key, fetch });
    expect(registered).toEqual({ peerId: 'p1', relayUrl: undefined });
  });

  it.each(['', 'word', 'a.!!.c', 'a.e30.c', 'a.W10.c'])('needs an id token, which %j is not', async (word) => {
    const key = await peerKeyOf(await generatePeerKey());
    const { fetch, asked } = api({});
    const registering = registerPeer({ apiUrl, idToken: word, name: 'A', type: 'hub', key, fetch });
    await expect(registering).rejects.toMatchObject({ code: 'http', message: 'This is not an id token.' });
    expect(asked).toEqual([]);
  });
});

describe('a peer’s key', () => {
  it('can be exported and imported only if it was made so, and only as it is', async () => {
    await expect(exportPeerKey(await generatePeerKey())).rejects.toThrow();
    const exported = await exportPeerKey(await generatePeerKey({ extractable: true }));
    const again = await peerKeyOf(await importPeerKey(exported));
    expect(again.publicKey).toBe(exported.publicKey);
    const other = await exportPeerKey(await generatePeerKey({ extractable: true }));
    const mixed = { privateKey: exported.privateKey, publicKey: other.publicKey };
    for (const wrong of [mixed, { ...exported, privateKey: 'AAAA' }, { ...exported, publicKey: 'AAAA' }]) {
      await expect(importPeerKey(wrong)).rejects.toMatchObject({ code: 'bad_key' });
    }
  });
});

describe('the server’s keys', () => {
  const key = () => String(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x);
  const setOf = (keys: Readonly<Record<string, string>>) => ({
    keys: Object.entries(keys).map(([kid, x]) => ({ kty: 'OKP', crv: 'Ed25519', kid, x })),
  });

  it('are those seen first; a new one is accepted beside a proven one', async () => {
    const [a, b, c] = [key(), key(), key()];
    let published: Record<string, string> = { a };
    const pins = memoryPins();
    const { fetch } = api({ '/.well-known/jwks.json': () => ({ body: setOf(published) }) });
    const keys = () => pinnedServerKeys(apiUrl, pins, fetch);
    expect(await keys().find('a')).toHaveLength(32);
    published = { a, b };
    expect(await keys().find('b')).toBeUndefined();
    await keys().confirmed('a');
    expect(await keys().find('b')).toHaveLength(32);
    published = { c };
    await keys().confirmed('a');
    expect(await keys().find('c')).toBeUndefined();
    published = { a: c, c };
    await keys().confirmed('a');
    expect(await pins.load()).toEqual({ a, b });
    expect(await keys().find('toString')).toBeUndefined();
  });

  it.each([
    ['no list', {}],
    [
      'others than signing keys',
      { keys: ['a', { crv: 'P-256', kid: 'a', x: 'AAAA' }, { crv: 'Ed25519', kid: 7, x: 'A' }] },
    ],
    ['a key that is too short', { keys: [{ crv: 'Ed25519', kid: 'a', x: 'AAAA' }] }],
  ])('are none if the API publishes %s', async (_what, body) => {
    const keys = pinnedServerKeys(apiUrl, memoryPins(), api({ '/.well-known/jwks.json': () => ({ body }) }).fetch);
    expect(await keys.find('a')).toBeUndefined();
  });

  it('stay as they are while the API does not publish any, and are asked for again', async () => {
    const a = key();
    const pins = memoryPins({ a });
    let answer: object | undefined;
    const { fetch, asked } = api({ '/.well-known/jwks.json': () => answer && { body: answer } });
    const keys = pinnedServerKeys(apiUrl, pins, fetch);
    await keys.confirmed('a');
    expect(await pins.load()).toEqual({ a });
    const b = key();
    answer = setOf({ a, b });
    await keys.confirmed('a');
    await keys.confirmed('a');
    expect([await pins.load(), asked.length]).toEqual([{ a, b }, 2]);
  });

  it('are not pinned while the API does not answer', async () => {
    const pins = memoryPins();
    const keys = pinnedServerKeys(apiUrl, pins, api({}).fetch);
    await expect(keys.find('a')).rejects.toMatchObject({ code: 'lost' });
    expect(await pins.load()).toBeUndefined();
  });
});
