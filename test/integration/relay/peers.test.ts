import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { type Backend, startBackend } from '../../support/backend.ts';
import { peersOf } from '../../support/peers.ts';
import { newPeerIdentity, privateKeyFrom, registrationProof } from '../../support/relay.ts';
import { newUser } from '../../support/tokens.ts';

const { vectors } = z
  .object({
    vectors: z.array(
      z.object({
        inputs: z.object({ uid: z.string(), peer_private_key: z.string(), peer_public_key: z.string() }),
        registration: z.object({ time: z.number(), proof: z.string() }),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync('test/fixtures/relay/vectors.json', 'utf8')));

let backend: Backend;
let peers: ReturnType<typeof peersOf>;
beforeAll(async () => {
  backend = await startBackend();
  peers = peersOf(backend);
});
afterAll(() => backend.stop());

describe('registering a peer', () => {
  it('is done with a name, a type, a key and the proof of holding it', async () => {
    const user = newUser();
    const identity = newPeerIdentity();
    const { status, body } = await peers.register(user, identity, { name: '  Ana’s phone ', type: 'tablet' });
    expect(status).toBe(201);
    expect(body).toEqual({
      ok: true,
      peer: {
        peer_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        ...{ name: 'Ana’s phone', type: 'tablet', public_key: identity.publicKey, status: 'active' },
        ...{ created_at: expect.any(Number), last_seen_at: null },
      },
      relay_url: backend.relay.url,
    });
  });

  it('again with the same key is the same peer, unchanged', async () => {
    const user = newUser();
    const identity = newPeerIdentity();
    const first = await peers.register(user, identity, { name: 'First' });
    const again = await peers.register(user, identity, { name: 'Second' });
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await peers.list(user)).body.peers).toHaveLength(1);
  });

  it('is refused for a key that another account has, or that was revoked', async () => {
    const peer = await peers.peer();
    const stranger = await peers.register(newUser(), peer);
    expect([stranger.status, stranger.body.error.code]).toEqual([409, 'key_in_use']);
    await peers.revoke(peer.owner, peer.peerId);
    for (const user of [peer.owner, newUser()]) {
      expect((await peers.register(user, peer)).body.error.code).toBe('key_in_use');
    }
  });

  it('is refused with a proof by another key, for another account, for another time or over another key', async () => {
    const user = newUser();
    const identity = newPeerIdentity();
    const now = backend.clock.now();
    const wrong = [
      registrationProof(newPeerIdentity(), user.uid, now),
      registrationProof(identity, newUser().uid, now),
      { ...registrationProof(identity, user.uid, now), time: now + 1 },
    ].map(({ time, proof }) => ({ time, proof }));
    for (const fields of wrong) {
      const { status, body } = await peers.register(user, identity, fields);
      expect([status, body.error.code]).toEqual([403, 'proof_invalid']);
    }
    expect((await peers.list(user)).body.peers).toEqual([]);
  });

  it.each([-1, 1])('is refused when the clock is more than five minutes off, with ours (%i)', async (sign) => {
    const user = newUser();
    const identity = newPeerIdentity();
    const at = (off: number) =>
      peers.register(user, identity, registrationProof(identity, user.uid, backend.clock.now() + sign * off));
    const { status, body } = await at(302_000);
    expect([status, body.error.code]).toEqual([400, 'clock_skew']);
    expect(Math.abs(body.error.details.time - backend.clock.now())).toBeLessThan(60_000);
    expect((await at(290_000)).status).toBe(201);
  });

  it.each(vectors.map((vector) => ({ uid: vector.inputs.uid, vector })))(
    'accepts the proof of $uid in the vectors',
    async ({ vector: { inputs, registration } }) => {
      const then = await startBackend({}, { isDirect: true });
      try {
        then.clock.forward(registration.time - then.clock.now());
        const { status, body } = await then.call('/relay/peers', {
          headers: newUser({ sub: inputs.uid, expiresAt: Math.floor(Date.now() / 1000) + 3600 }).headers,
          body: {
            ...{ name: 'A phone', type: 'phone', public_key: inputs.peer_public_key },
            ...registration,
          },
        });
        expect([status, body.peer?.public_key]).toEqual([201, inputs.peer_public_key]);
      } finally {
        await then.stop();
      }
    },
  );

  it('makes the proofs of the vectors in our tests', () => {
    for (const { inputs, registration } of vectors) {
      const privateKey = privateKeyFrom('ed25519', inputs.peer_private_key);
      const identity = { peerId: '', privateKey, publicKey: inputs.peer_public_key };
      expect(registrationProof(identity, inputs.uid, registration.time).proof).toBe(registration.proof);
    }
  });

  it.each([
    ['with padding', (key: string) => `${key}=`],
    ['too short', (key: string) => key.slice(2)],
    ['with bits behind its end', (key: string) => `${key.slice(0, -1)}${key.endsWith('B') ? 'C' : 'B'}`],
    ['of order 1', () => `AQ${'A'.repeat(41)}`],
    ['of order 2', () => '7P_______________________________________38'],
    ['of order 4', () => 'A'.repeat(43)],
    ['of order 8', () => 'JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU'],
    ['of order 8, with the sign', () => 'JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_IU'],
    ['with a coordinate that is not reduced', () => '7v_______________________________________38'],
  ])('is refused for a key %s', async (_, change) => {
    const identity = newPeerIdentity();
    const { status, body } = await peers.register(newUser(), identity, { public_key: change(identity.publicKey) });
    expect([status, body.error.code]).toEqual([400, 'validation_failed']);
    expect(body.error.details[0].field).toBe('public_key');
  });

  it.each([
    ['empty', ''],
    ['of spaces', '   '],
    ['of 41 characters', 'x'.repeat(41)],
    ['with a line break', 'a\nb'],
    ['with half a character', 'a\ud800'],
  ])('is refused with a name that is %s', async (_, name) => {
    const { status, body } = await peers.register(newUser(), newPeerIdentity(), { name });
    expect([status, body.error.details[0].field]).toEqual([400, 'name']);
  });

  it('takes a name of 40 characters, however many bytes each has', async () => {
    const { status, body } = await peers.register(newUser(), newPeerIdentity(), { name: '🌱'.repeat(40) });
    expect([status, body.peer.name]).toEqual([201, '🌱'.repeat(40)]);
  });

  it('is for the user only, not for a peer', async () => {
    const peer = await peers.peer();
    const { headers } = await peers.tokens(peer);
    const { status, body } = await peers.register({ ...peer.owner, headers }, newPeerIdentity());
    expect([status, body.error.code]).toEqual([401, 'invalid_token']);
  });
});

describe('names', () => {
  it.each([
    ['case', 'Anas Phone', 'anas phone'],
    ['the way letters are composed', 'Zoé', 'Zoe\u0301'],
    ['both', 'ÉTÉ', 'e\u0301te\u0301'],
    ['spaces around them', 'Hub', ' Hub '],
  ])('of one account differ by more than %s', async (_, first, second) => {
    const user = newUser();
    await peers.peer(user, { name: first });
    const { status, body } = await peers.register(user, newPeerIdentity(), { name: second });
    expect([status, body.error.code]).toEqual([409, 'name_in_use']);
    expect((await peers.register(newUser(), newPeerIdentity(), { name: second })).status).toBe(201);
  });

  it('are free again when their peer is renamed or revoked', async () => {
    const user = newUser();
    const peer = await peers.peer(user, { name: 'Hub' });
    const renamed = await backend.call(`/relay/peers/${peer.peerId}`, {
      headers: user.headers,
      body: { name: 'Old hub' },
    });
    expect([renamed.status, renamed.body.peer.name]).toEqual([200, 'Old hub']);
    const second = await peers.peer(user, { name: 'HUB' });
    await peers.revoke(user, second.peerId);
    await peers.peer(user, { name: 'hub' });
  });

  it('can change in case alone, and are refused when another peer has them', async () => {
    const user = newUser();
    const peer = await peers.peer(user, { name: 'hub' });
    await peers.peer(user, { name: 'phone' });
    const rename = (name: string) =>
      backend.call(`/relay/peers/${peer.peerId}`, { headers: user.headers, body: { name } });
    expect((await rename('HUB')).body.peer.name).toBe('HUB');
    expect((await rename('HUB')).status).toBe(200);
    expect((await rename('PHONE')).body.error.code).toBe('name_in_use');
    expect((await peers.register(user, newPeerIdentity(), { name: 'hub' })).body.error.code).toBe('name_in_use');
  });

  it('can be given by only one of two phones that want the same at the same moment', async () => {
    const user = newUser();
    const answers = await Promise.all(
      ['Phone', 'PHONE'].map((name) => peers.register(user, newPeerIdentity(), { name })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });
});

describe('an account', () => {
  it('has at most 20 active peers, however many are registered at once', async () => {
    const user = newUser();
    for (let count = 0; count < 10; count += 1) await peers.peer(user);
    const answers = await Promise.all(Array.from({ length: 20 }, () => peers.register(user, newPeerIdentity())));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(10);
    const refused = answers.filter(({ status }) => status !== 201);
    expect(new Set(refused.map(({ body }) => body.error.code))).toEqual(new Set(['too_many_peers']));
    const { body } = await peers.list(user);
    expect(body.peers).toHaveLength(20);
    // Revoking one, also twice, makes room for exactly one.
    const [first] = body.peers;
    backend.clock.forward(3_600_000);
    const later = { ...user, headers: newUser({ sub: user.uid, expiresAt: Date.now() / 1000 + 7_200 }).headers };
    await Promise.all([peers.revoke(later, first.peer_id), peers.revoke(later, first.peer_id)]);
    await peers.revoke(later, first.peer_id);
    expect((await peers.register(later, newPeerIdentity())).status).toBe(201);
    expect((await peers.register(later, newPeerIdentity())).body.error.code).toBe('too_many_peers');
  });

  it('gets one peer when the same registration arrives several times at once', async () => {
    const user = newUser();
    const identity = newPeerIdentity();
    const answers = await Promise.all(Array.from({ length: 5 }, () => peers.register(user, identity)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
    expect(new Set(answers.map(({ body }) => body.peer.peer_id)).size).toBe(1);
    expect((await peers.list(user)).body.peers).toHaveLength(1);
  });

  it('is the only one to get a key that two accounts register at once', async () => {
    const identity = newPeerIdentity();
    const answers = await Promise.all([newUser(), newUser()].map((user) => peers.register(user, identity)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it('sees nothing of another one’s peers', async () => {
    const peer = await peers.peer();
    const stranger = newUser();
    const nobody = '0197a1c2-5f3e-7b44-9c1d-2f6a8e0b7d10';
    for (const change of ['', '/revoke']) {
      const answers = await Promise.all(
        [peer.peerId, nobody].map((id) =>
          backend.call(`/relay/peers/${id}${change}`, {
            headers: stranger.headers,
            body: change === '' ? { name: 'Mine' } : {},
          }),
        ),
      );
      const [theirs, unknown] = answers.map(({ status, body }) => [status, { ...body.error, requestId: '' }]);
      expect(theirs).toEqual(unknown);
      expect(answers[0]?.body.error.code).toBe('peer_not_found');
    }
    expect((await peers.list(stranger)).body.peers).toEqual([]);
    expect((await peers.list(peer.owner)).body.peers).toMatchObject([{ peer_id: peer.peerId, status: 'active' }]);
  });
});

describe('revoking a peer', () => {
  it('takes it off the list, and shows it among the revoked ones', async () => {
    const peer = await peers.peer();
    const { status, body } = await peers.revoke(peer.owner, peer.peerId);
    expect([status, body.peer]).toMatchObject([200, { status: 'revoked', revoked_at: expect.any(Number) }]);
    expect((await peers.list(peer.owner)).body.peers).toEqual([]);
    expect((await peers.list(peer.owner, '?revoked=true')).body.peers).toMatchObject([
      { peer_id: peer.peerId, status: 'revoked', online: false },
    ]);
  });

  it('ends its tokens with the next request, and again is no fault', async () => {
    const peer = await peers.peer();
    const { headers, refresh } = await peers.tokens(peer);
    expect((await peers.list({ headers })).status).toBe(200);
    await peers.revoke(peer.owner, peer.peerId);
    expect((await peers.list({ headers })).body.error.code).toBe('invalid_token');
    expect((await peers.refresh(refresh)).body.error).toBe('invalid_grant');
    expect((await peers.byAssertion(peers.assertion(peer))).body.error).toBe('invalid_grant');
    expect((await peers.revoke(peer.owner, peer.peerId)).status).toBe(200);
    expect(
      (await backend.scan('relay')).filter(({ record }) => String(record).includes(`family#${peer.peerId}`)),
    ).toEqual([]);
  });

  it('is open to the peer itself, but not to another one of the account', async () => {
    const lost = await peers.peer();
    const other = await peers.peer(lost.owner);
    const { headers } = await peers.tokens(other);
    const refused = await peers.revoke({ headers }, lost.peerId);
    expect([refused.status, refused.body.error.code]).toEqual([403, 'other_peer']);
    expect((await peers.revoke({ headers }, other.peerId)).status).toBe(200);
    expect((await peers.list(lost.owner)).body.peers).toMatchObject([{ peer_id: lost.peerId }]);
  });
});
