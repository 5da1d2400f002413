import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeContracts } from '../../../tools/build/docs/route-contracts.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { everyRoute } from '../../support/every-route.ts';
import { peersOf, type RegisteredPeer } from '../../support/peers.ts';
import { signedUp } from '../../support/signed-up.ts';
import { bearer, newUser } from '../../support/tokens.ts';

let backend: Backend;
let peers: ReturnType<typeof peersOf>;
beforeAll(async () => {
  backend = await startBackend();
  peers = peersOf(backend);
});
afterAll(() => backend.stop());

/** Everything that a peer's token opens. A route that is not here needs the user. */
const OPEN_TO_PEERS = [
  'GET /relay/peers',
  'POST /relay/peers/{peer_id}',
  'POST /relay/peers/{peer_id}/revoke',
  'GET /relay/streams',
  'POST /relay/streams/{stream}',
  'POST /relay/streams/{stream}/delete',
  'GET /relay/streams/{stream}/events',
  'POST /relay/streams/{stream}/events',
  'GET /ota/latest',
  'GET /ota/releases/{version}/download-url',
  'POST /ota/reports',
  'POST /ota/lease',
  'GET /myDevices',
  'POST /reconcileDevices',
  'GET /devices/{serial}/commands',
  'GET /devices/{serial}/commands/{command_id}',
  'POST /devices/{serial}/commands/{command_id}/lease',
  'POST /devices/{serial}/commands/{command_id}/report',
  'POST /commands/offers',
  'POST /telemetry',
  'GET /telemetry/settings',
  'GET /telemetry/devices/{serial}/insights',
  'GET /telemetry/devices/{serial}/runs',
  'GET /telemetry/devices/{serial}/series',
  'GET /telemetry/devices/{serial}/summary',
  'GET /notifications',
  'POST /notifications/read',
  'GET /notifications/settings',
  'GET /notifications/subscriptions',
];
const NEEDS_NOBODY = routeContracts().filter(({ auth }) => auth === 'public');

describe("a peer's token", () => {
  it('opens what a hub needs, and nothing of the account or of billing', async () => {
    const calls = await everyRoute(backend);
    const peer = await peers.peer();
    const { headers } = await peers.tokens(peer);
    const open: string[] = [];
    for (const { method, path, auth } of routeContracts()) {
      const name = `${method} ${path}`;
      if (auth === 'public') continue;
      const { path: where, ...call } = calls.get(name)?.() ?? { path: '' };
      // Machines' routes get the token where they look for theirs.
      const { status, body } = await backend.call(where, {
        ...call,
        headers: {
          ...(call.headers?.['Content-Type'] && { 'Content-Type': call.headers['Content-Type'] }),
          ...headers,
        },
      });
      if (status !== 401 && !(auth === 'stripe' && body.error?.code === 'invalid_signature')) open.push(name);
    }
    expect(open.sort()).toEqual([...OPEN_TO_PEERS].sort());
    expect(NEEDS_NOBODY.map(({ path }) => path).filter((path) => /account|export|profile|usage/i.test(path))).toEqual(
      [],
    );
  });

  it('acts for its own account only', async () => {
    const [mine, theirs] = [await peers.peer(), await peers.peer()];
    const { headers } = await peers.tokens(mine);
    expect((await peers.list({ headers })).body.peers).toMatchObject([{ peer_id: mine.peerId }]);
    expect((await peers.revoke({ headers }, theirs.peerId)).body.error.code).toBe('other_peer');
    expect(
      (await backend.call(`/relay/peers/${theirs.peerId}`, { headers, body: { name: 'Mine' } })).body.error.code,
    ).toBe('peer_not_found');
  });

  it('names the devices of its owner', async () => {
    const peer = await peers.peer();
    const { body: made } = await backend.call('/provision', {
      headers: { 'x-factory-token': backend.secrets.factoryToken },
      body: { hw_id: 'AA:BB:CC:00:00:01' },
    });
    await backend.call('/claimDevice', { headers: peer.owner.headers, body: { serial: made.serial } });
    const { headers } = await peers.tokens(peer);
    const { body } = await backend.call('/myDevices', { headers });
    expect(body).toMatchObject({ owner_uid: peer.owner.uid, devices: [{ serial: made.serial }] });
    const lease = { serial: made.serial, phone_id: peer.peerId };
    expect((await backend.call('/ota/lease', { headers, body: lease })).body).toMatchObject({ ok: true, held: true });
    // By its serial only the owner's side knows the device.
    const latest = await backend.call(`/ota/latest?serial=${made.serial}&current_version=1.0.0`, { headers });
    expect(latest.status).toBe(200);
    expect(backend.metrics.counted).toContain('FirmwareSeen');
  });

  it('counts in the same limits as its owner', async () => {
    const peer = await peers.peer();
    const { headers } = await peers.tokens(peer);
    const use = (by: Record<string, string>) => backend.call('/ota/reports', { headers: by, body: { reports: [] } });
    await use(headers);
    // An empty batch is refused by its schema, after it was counted.
    const remaining = async (by: Record<string, string>) =>
      Number((await use(by)).headers.get('ratelimit')?.match(/r=(\d+)/)?.[1]);
    const before = await remaining({ ...peer.owner.headers });
    expect(await remaining(headers)).toBe(before - 1);
  });
});

describe('a token that only looks like a peer’s', () => {
  let peer: RegisteredPeer;
  beforeAll(async () => {
    peer = await peers.peer();
  });
  const seconds = () => Math.floor(backend.clock.now() / 1000);
  const identity = () =>
    createPrivateKey({ key: Buffer.from(backend.secrets.relayIdentityKey, 'base64'), format: 'der', type: 'pkcs8' });
  const claims = () => ({
    iss: `autowatering-backend-${backend.environment}`,
    aud: `autowatering-relay-${backend.environment}`,
    ...{ sub: peer.owner.uid, peer_id: peer.peerId, jti: randomUUID(), iat: seconds(), exp: seconds() + 3_600 },
  });
  const kid = async () => (await backend.call('/.well-known/jwks.json')).body.keys[0].kid;
  const minted = async (payload: Record<string, unknown> = {}, header: Record<string, unknown> = {}) =>
    new SignJWT({ ...claims(), ...payload })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: await kid(), ...header })
      .sign(identity());

  it('is accepted when it is one, so that the others are refused for what is wrong with them', async () => {
    expect((await peers.list({ headers: bearer(await minted()) })).status).toBe(200);
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['has expired', { exp: 1_700_000_000 }, {}],
    ['is of the future', { iat: 4_000_000_000, exp: 4_000_000_100 }, {}],
    ['is of another environment', { aud: 'autowatering-relay-prod' }, {}],
    ['is by another issuer', { iss: 'autowatering-backend-prod' }, {}],
    ['names no peer', { peer_id: undefined }, {}],
    ['names a peer that is none', { peer_id: 'x' }, {}],
    ['names no user', { sub: '' }, {}],
    ['never expires', { exp: undefined }, {}],
    ['names an unknown key', {}, { kid: 'AAAAAAAAAAAAAAAA' }],
    ['names no key', {}, { kid: undefined }],
    ['is of another type', {}, { typ: 'JWT' }],
    ['names a peer of another account', { sub: newUser().uid }, {}],
  ])('is refused when it %s', async (_, payload, header) => {
    const { status, body } = await peers.list({ headers: bearer(await minted(payload, header)) });
    expect([status, body.error.code]).toEqual([401, 'invalid_token']);
  });

  it('is refused when it is signed by the peer itself, or when its algorithm is another', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const header = { alg: 'EdDSA', typ: 'at+jwt', kid: await kid() };
    const own = `${part(header)}.${part(claims())}`;
    const byPeer = `${own}.${sign(null, Buffer.from(own), peer.privateKey).toString('base64url')}`;
    const good = (await minted()).split('.');
    const unsigned = [part({ ...header, alg: 'none' }), good[1], ''].join('.');
    const moved = [good[0], part({ ...claims(), sub: newUser().uid }), good[2]].join('.');
    for (const token of [byPeer, unsigned, moved, `${good.join('.')}.x`, `${good[0]}..`, `${good[0]}.%%%.${good[2]}`]) {
      expect((await peers.list({ headers: bearer(token) })).status).toBe(401);
    }
  });

  it('opens nothing as an assertion, nor an assertion as one', async () => {
    const assertion = peers.assertion(peer);
    expect((await peers.list({ headers: bearer(assertion) })).status).toBe(401);
    expect((await peers.byAssertion(await minted())).body.error).toBe('invalid_grant');
  });
});

describe('the token of a peer whose account is deleted', () => {
  it('is told so, as its owner’s is', async () => {
    const user = await signedUp(backend);
    const peer = await peers.peer(user);
    const { headers, refresh } = await peers.tokens(peer);
    const removed = await backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
    expect(removed.status).toBe(200);
    for (const path of ['/relay/peers', '/relay/streams', '/myDevices']) {
      const { status, body } = await backend.call(path, { headers });
      expect([path, status, body.error.code]).toEqual([path, 410, 'account_deleted']);
    }
    expect((await peers.refresh(refresh)).body.error).toBe('invalid_grant');
    expect((await peers.byAssertion(peers.assertion(peer))).body.error).toBe('invalid_grant');
    expect((await peers.register(user, peer)).status).toBe(410);
  });
});
