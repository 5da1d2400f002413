import { createPublicKey, randomUUID } from 'node:crypto';
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { secretValues } from '../../../tools/run/local-stack/engines.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { JWT_BEARER, peersOf, type RegisteredPeer } from '../../support/peers.ts';
import { newPeerIdentity } from '../../support/relay.ts';
import { bearer, newUser } from '../../support/tokens.ts';

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };
const NOBODY = '0197a1c2-5f3e-7b44-9c1d-2f6a8e0b7d10';

let backend: Backend;
let peers: ReturnType<typeof peersOf>;
beforeAll(async () => {
  backend = await startBackend();
  peers = peersOf(backend);
});
afterAll(() => backend.stop());

/** An OAuth client that nobody here wrote. */
function foreignClient(peer: RegisteredPeer) {
  const server: oauth.AuthorizationServer = {
    issuer: `autowatering-backend-${backend.environment}`,
    token_endpoint: `${backend.url}/relay/token`,
    revocation_endpoint: `${backend.url}/relay/token/revoke`,
    jwks_uri: `${backend.url}/.well-known/jwks.json`,
  };
  const client: oauth.Client = { client_id: peer.peerId };
  const insecure = { [oauth.allowInsecureRequests]: true };
  const assertion = () =>
    new SignJWT({})
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(peer.peerId)
      .setSubject(peer.peerId)
      .setAudience(`${backend.url}/relay/token`)
      .setIssuedAt(Math.floor(backend.clock.now() / 1000))
      .setExpirationTime(Math.floor(backend.clock.now() / 1000) + 300)
      .setJti(randomUUID())
      .sign(peer.privateKey);
  return {
    server,
    client,
    assertion,
    async byAssertion(): Promise<oauth.TokenEndpointResponse> {
      const parameters = { assertion: await assertion() };
      const response = await oauth.genericTokenEndpointRequest(
        ...([server, client, oauth.None(), JWT_BEARER, parameters, insecure] as const),
      );
      return oauth.processGenericTokenEndpointResponse(server, client, response);
    },
    async refresh(token: string): Promise<oauth.TokenEndpointResponse> {
      const response = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), token, insecure);
      return oauth.processRefreshTokenResponse(server, client, response);
    },
    async revoke(token: string): Promise<void> {
      const response = await oauth.revocationRequest(server, client, oauth.None(), token, insecure);
      await oauth.processRevocationResponse(response);
    },
    verify: (token: string) =>
      jwtVerify(token, createRemoteJWKSet(new URL(server.jwks_uri ?? '')), {
        issuer: server.issuer,
        audience: `autowatering-relay-${backend.environment}`,
        algorithms: ['EdDSA'],
        typ: 'at+jwt',
        currentDate: new Date(backend.clock.now()),
      }),
  };
}

describe('an OAuth client by somebody else', () => {
  it('gets tokens by an assertion, refreshes, and verifies the access token with the published keys', async () => {
    const peer = await peers.peer();
    const client = foreignClient(peer);
    const first = await client.byAssertion();
    expect(first).toMatchObject({ token_type: 'bearer', expires_in: 3600, refresh_token: expect.any(String) });
    const second = await client.refresh(first.refresh_token ?? '');
    for (const { access_token: token } of [first, second]) {
      const { payload, protectedHeader } = await client.verify(token);
      expect(protectedHeader).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt', kid: expect.stringMatching(/^[\w-]{16}$/) });
      expect(payload).toMatchObject({ sub: peer.owner.uid, peer_id: peer.peerId, jti: expect.any(String) });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600);
      expect((await peers.list({ headers: bearer(token) })).status).toBe(200);
    }
    expect(second.refresh_token).not.toBe(first.refresh_token);
  });

  it('understands why it is refused', async () => {
    const peer = await peers.peer();
    const client = foreignClient(peer);
    const { refresh_token: token = '' } = await client.byAssertion();
    await client.revoke(token);
    const refused = await client.refresh(token).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(oauth.ResponseBodyError);
    expect(refused).toMatchObject({ error: 'invalid_grant', status: 400, error_description: expect.any(String) });
    await expect(client.revoke('rt_unknown')).resolves.toBeUndefined();
  });

  it('is told that an access token can’t be revoked by itself', async () => {
    const client = foreignClient(await peers.peer());
    const { access_token: token } = await client.byAssertion();
    await expect(client.revoke(token)).rejects.toMatchObject({ error: 'unsupported_token_type' });
  });

  it('verifies tokens with both keys while they rotate', async () => {
    const own = await startBackend({ SECRETS_CACHE_SECONDS: '0' });
    try {
      const ofOwn = peersOf(own);
      const peer = await ofOwn.peer();
      const old = await ofOwn.tokens(peer);
      const values = secretValues(own.secrets);
      const newer = secretValues({ ...own.secrets, ...(await freshIdentity()) })['RELAY_IDENTITY_KEY'] ?? '';
      const rotating = { ...values, RELAY_IDENTITY_KEY: [newer, own.secrets.relayIdentityKey] };
      own.secretsManager.setValues(rotating);
      const recent = await ofOwn.tokens(peer);
      const { body: keys, headers } = await own.call('/.well-known/jwks.json');
      expect(headers.get('cache-control')).toBe('public, max-age=300');
      expect(keys.keys).toHaveLength(2);
      const verifying = { currentDate: new Date(own.clock.now()), typ: 'at+jwt' };
      const kids = [];
      for (const { access, headers: use } of [old, recent]) {
        kids.push((await jwtVerify(access, createLocalJWKSet(keys), verifying)).protectedHeader.kid);
        expect((await ofOwn.list({ headers: use })).status).toBe(200);
      }
      expect(kids).toEqual([keys.keys[1].kid, keys.keys[0].kid]);
      own.secretsManager.setValues({ ...values, RELAY_IDENTITY_KEY: newer });
      expect((await ofOwn.list({ headers: old.headers })).status).toBe(401);
      expect((await ofOwn.list({ headers: recent.headers })).status).toBe(200);
    } finally {
      await own.stop();
    }
  });
});

async function freshIdentity() {
  const { createLocalSecrets } = await import('../../../tools/run/local-stack/secrets/local-secrets.ts');
  return { relayIdentityKey: createLocalSecrets().relayIdentityKey };
}

describe('an assertion', () => {
  const seconds = (ms: number) => Math.floor((backend.clock.now() + ms) / 1000);

  it.each<[string, () => Record<string, unknown>]>([
    ['for another audience', () => ({ aud: 'https://example.com/relay/token' })],
    ['for this address and another one', () => ({ aud: [`${backend.url}/relay/token`, 'https://example.com'] })],
    ['without an audience', () => ({ aud: undefined })],
    ['whose issuer is not its subject', () => ({ iss: randomUUID() })],
    ['of an unknown peer', () => ({ iss: NOBODY, sub: NOBODY })],
    ['that has expired', () => ({ exp: seconds(-1_000) })],
    ['that is good for an hour', () => ({ exp: seconds(3_600_000) })],
    ['that does not expire', () => ({ exp: undefined })],
    ['whose end is a text', () => ({ exp: String(seconds(60_000)) })],
    ['that is not good yet', () => ({ nbf: seconds(120_000) })],
    ['that was made in the future', () => ({ iat: seconds(120_000) })],
    ['without an id', () => ({ jti: undefined })],
    ['with an empty id', () => ({ jti: '' })],
    ['with a very long id', () => ({ jti: 'x'.repeat(300) })],
  ])('%s is refused', async (_, claims) => {
    const peer = await sharedPeer();
    const { status, body } = await peers.byAssertion(peers.assertion(peer, claims()));
    expect([status, body]).toEqual([400, { error: 'invalid_grant', error_description: expect.any(String) }]);
  });

  it.each<[string, () => Record<string, unknown>]>([
    ['for this address in a list', () => ({ aud: [`${backend.url}/relay/token`] })],
    ['that is good for five minutes, from a clock that is a little fast', () => ({ exp: seconds(330_000) })],
    ['that says when it was made and from when it is good', () => ({ iat: seconds(0), nbf: seconds(-1_000) })],
  ])('%s is accepted', async (_, claims) => {
    const peer = await sharedPeer();
    expect((await peers.byAssertion(peers.assertion(peer, claims()))).status).toBe(200);
  });

  it('signed with another key is refused in the same words as one of a peer that does not exist', async () => {
    const peer = await sharedPeer();
    const forged = peers.assertion({ ...newPeerIdentity(), peerId: peer.peerId });
    const unknown = peers.assertion(newPeerIdentity());
    const answers = [await peers.byAssertion(forged), await peers.byAssertion(unknown)];
    expect(answers[0]?.body.error).toBe('invalid_grant');
    expect(answers[0]?.body).toEqual(answers[1]?.body);
  });

  it.each(['none', 'HS256', 'RS256'])('with the algorithm %s is refused', async (alg) => {
    const peer = await sharedPeer();
    const [, payload = '', signature = ''] = peers.assertion(peer).split('.');
    const header = Buffer.from(JSON.stringify({ alg })).toString('base64url');
    for (const text of [`${header}.${payload}.${signature}`, `${header}.${payload}.`]) {
      expect((await peers.byAssertion(text)).body.error).toBe('invalid_grant');
    }
  });

  it('with an extension that must be understood is refused', async () => {
    const peer = await sharedPeer();
    const text = await new SignJWT({ [`${backend.url}/x`]: true })
      .setProtectedHeader({ alg: 'EdDSA', crit: ['b64'], b64: true })
      .setIssuer(peer.peerId)
      .setSubject(peer.peerId)
      .setAudience(`${backend.url}/relay/token`)
      .setExpirationTime(seconds(60_000))
      .setJti(randomUUID())
      .sign(peer.privateKey);
    expect((await peers.byAssertion(text)).body.error).toBe('invalid_grant');
  });

  it('is good once, also when it is used several times at the same moment', async () => {
    const peer = await sharedPeer();
    const text = peers.assertion(peer);
    const answers = await Promise.all(Array.from({ length: 4 }, () => peers.byAssertion(text)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400]);
    expect((await peers.byAssertion(text)).body.error).toBe('invalid_grant');
  });

  it('with the same id as another peer’s is another one', async () => {
    const [one, other] = [await peers.peer(), await peers.peer()];
    for (const peer of [one, other]) {
      expect((await peers.byAssertion(peers.assertion(peer, { jti: 'first' }))).status).toBe(200);
    }
  });
});

describe('a refresh token', () => {
  it('is good once: a second use ends its whole family, the tokens that came of it included', async () => {
    const peer = await peers.peer();
    const { refresh: first } = await peers.tokens(peer);
    const { body: rotated } = await peers.refresh(first);
    const reused = await peers.refresh(first);
    expect([reused.status, reused.body.error]).toEqual([400, 'invalid_grant']);
    expect((await peers.refresh(rotated.refresh_token)).body.error).toBe('invalid_grant');
    expect(backend.metrics.counted).toContain('RelayTokenReuse');
    const { refresh: anew } = await peers.tokens(peer);
    expect((await peers.refresh(anew)).status).toBe(200);
  });

  it('used twice at the same moment gives tokens to one at most, and neither keeps the family', async () => {
    const peer = await peers.peer();
    const { refresh } = await peers.tokens(peer);
    const answers = await Promise.all([peers.refresh(refresh), peers.refresh(refresh)]);
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners.length).toBeLessThanOrEqual(1);
    for (const { body } of winners) {
      expect((await peers.refresh(body.refresh_token)).body.error).toBe('invalid_grant');
    }
  });

  it('of one family is not touched by the end of another', async () => {
    const peer = await peers.peer();
    const [one, other] = [await peers.tokens(peer), await peers.tokens(peer)];
    await peers.refresh(one.refresh);
    await peers.refresh(one.refresh);
    expect((await peers.refresh(other.refresh)).status).toBe(200);
  });

  it('is good for 30 days from its own issue', async () => {
    const own = await startBackend();
    try {
      const ofOwn = peersOf(own);
      const peer = await ofOwn.peer();
      const days = (count: number) => own.clock.forward(count * 24 * 60 * 60 * 1000);
      const { refresh } = await ofOwn.tokens(peer);
      days(29);
      const { status, body } = await ofOwn.refresh(refresh);
      expect(status).toBe(200);
      days(29);
      const again = await ofOwn.refresh(body.refresh_token);
      expect(again.status).toBe(200);
      days(30);
      expect((await ofOwn.refresh(again.body.refresh_token)).body.error).toBe('invalid_grant');
    } finally {
      await own.stop();
    }
  });

  it('is refused for another client, or when it is not one of ours', async () => {
    const peer = await sharedPeer();
    const { refresh } = await peers.tokens(peer);
    const asOther = { grant_type: 'refresh_token', refresh_token: refresh, client_id: randomUUID() };
    expect((await peers.form('/relay/token', asOther)).body.error).toBe('invalid_grant');
    const changed = `${refresh.slice(0, 10)}${refresh.charAt(10) === 'A' ? 'B' : 'A'}${refresh.slice(11)}`;
    for (const text of ['x', 'rt_', changed, `${refresh}AAAA`]) {
      expect((await peers.refresh(text)).body.error).toBe('invalid_grant');
    }
    expect((await peers.refresh(refresh)).status).toBe(200);
  });

  it('is stored as a hash only, and so is the id of an assertion', async () => {
    const peer = await peers.peer();
    const jti = randomUUID();
    const { body } = await peers.byAssertion(peers.assertion(peer, { jti }));
    const stored = JSON.stringify(await backend.scan('relay'));
    const secret = Buffer.from(body.refresh_token.slice(3), 'base64url').subarray(32).toString('base64url');
    for (const text of [body.refresh_token, secret, body.access_token, jti]) expect(stored).not.toContain(text);
  });
});

describe('the token route', () => {
  it.each<[string, Record<string, string>, string]>([
    ['no grant type', {}, 'invalid_request'],
    ['an empty grant type', { grant_type: '' }, 'invalid_request'],
    ['another grant type', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['no assertion', { grant_type: JWT_BEARER }, 'invalid_request'],
    ['no refresh token', { grant_type: 'refresh_token' }, 'invalid_request'],
    ['an assertion that is none', { grant_type: JWT_BEARER, assertion: 'a.b.c' }, 'invalid_grant'],
    ['a very long assertion', { grant_type: JWT_BEARER, assertion: 'a'.repeat(5_000) }, 'invalid_grant'],
  ])('says OAuth’s error for %s', async (_, fields, error) => {
    const { status, body, headers } = await peers.form('/relay/token', fields);
    expect([status, body]).toEqual([
      400,
      { error, error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/) },
    ]);
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it.each<[string, { readonly headers?: Record<string, string>; readonly body: unknown }, number]>([
    ['a JSON body', { body: { grant_type: 'refresh_token' } }, 400],
    ['no type of content', { headers: { 'Content-Type': '' }, body: 'grant_type=refresh_token' }, 400],
    ['a repeated parameter', { headers: FORM, body: 'grant_type=refresh_token&grant_type=refresh_token' }, 400],
    ['a parameter repeated without a value', { headers: FORM, body: 'grant_type=refresh_token&grant_type=' }, 400],
    ['a body that is not UTF-8', { headers: FORM, body: Buffer.from([0x61, 0x3d, 0xff]) }, 400],
    ['escapes that are not UTF-8', { headers: FORM, body: 'grant_type=%ff' }, 400],
    ['a body of 20 KiB', { headers: FORM, body: `grant_type=refresh_token&x=${'x'.repeat(20_000)}` }, 413],
  ])('says OAuth’s error for %s', async (_, { headers, body: sent }, expected) => {
    const { status, body } = await backend.call('/relay/token', {
      ...{ method: 'POST', body: sent },
      ...(headers === undefined ? {} : { headers }),
    });
    expect([status, body]).toEqual([expected, { error: 'invalid_request', error_description: expect.any(String) }]);
  });

  it('says OAuth’s error for a client that authenticates in another way', async () => {
    const peer = await sharedPeer();
    for (const more of [{ client_secret: 'secret' }, { client_assertion: 'a.b.c' }]) {
      const fields = { grant_type: JWT_BEARER, assertion: peers.assertion(peer), ...more };
      const { status, body } = await peers.form('/relay/token', fields);
      expect([status, body.error]).toEqual([401, 'invalid_client']);
    }
    const named = { grant_type: JWT_BEARER, assertion: peers.assertion(peer), client_id: randomUUID() };
    expect((await peers.form('/relay/token', named)).body.error).toBe('invalid_grant');
  });

  it('ignores parameters that it does not know', async () => {
    const peer = await sharedPeer();
    const fields = { grant_type: JWT_BEARER, assertion: peers.assertion(peer), scope: 'all', resource: 'https://x' };
    expect((await peers.form('/relay/token', fields)).status).toBe(200);
  });

  it('limits how often one address may ask', async () => {
    const own = await startBackend();
    try {
      const fields = { grant_type: 'refresh_token', refresh_token: 'x' };
      const answers = await Promise.all(Array.from({ length: 125 }, () => peersOf(own).form('/relay/token', fields)));
      const limited = answers.filter(({ status }) => status === 429);
      expect(limited).toHaveLength(5);
      expect(limited[0]?.body.error).toBe('temporarily_unavailable');
      expect(limited[0]?.headers.get('retry-after')).toMatch(/^\d+$/);
    } finally {
      await own.stop();
    }
  });

  it('needs a token to revoke', async () => {
    const { status, body } = await peers.form('/relay/token/revoke', {});
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });
});

describe('the published keys', () => {
  it('are the public half only, under the thumbprint that RFC 7638 gives them', async () => {
    const { body } = await backend.call('/.well-known/jwks.json');
    const { calculateJwkThumbprint } = await import('jose');
    for (const key of body.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
      expect((await calculateJwkThumbprint(key)).slice(0, 16)).toBe(key.kid);
      expect(createPublicKey({ key, format: 'jwk' }).asymmetricKeyType).toBe('ed25519');
    }
  });
});

let shared: Promise<RegisteredPeer> | undefined;
/** One that tests use which leave it as it is. */
function sharedPeer(): Promise<RegisteredPeer> {
  shared ??= peers.peer(newUser());
  return shared;
}
