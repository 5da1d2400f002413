import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRelayFunction } from '../../../src/relay-function.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { livePeer } from '../../support/live-peer.ts';
import { newEvent, peersOf } from '../../support/peers.ts';
import { signedUp } from '../../support/signed-up.ts';
import { stepsToTry } from '../../support/thorough.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let peers: ReturnType<typeof peersOf>;
beforeAll(async () => {
  backend = await startBackend({}, { relay: createRelayFunction });
  peers = peersOf(backend);
});
afterAll(() => backend.stop());
afterEach(() => backend.dynamo.revive());

const publish = (headers: Readonly<Record<string, string>>, stream: string, clientSeq: number) =>
  backend.call(`/relay/streams/${stream}/events`, {
    headers,
    body: { client_seq: clientSeq, events: [newEvent(backend.clock.now(), undefined, { key: 'zone-1' })] },
  });
const remove = (headers: Readonly<Record<string, string>>) =>
  backend.call('/deleteMyAccount', { headers, body: { confirmText: 'DELETE' } });
/** What is left of a user, whatever the key. */
const leftOf = async (...texts: readonly string[]) =>
  (await backend.scan('relay')).filter((item) => texts.some((text) => JSON.stringify(item).includes(text)));

/** An account with a little of everything. */
async function household() {
  const user = await signedUp(backend);
  const [phone, hub, lost] = [await peers.peer(user), await peers.peer(user, { type: 'hub' }), await peers.peer(user)];
  const { headers } = await peers.tokens(phone);
  for (const stream of ['zones', 'watering']) {
    for (const clientSeq of [1, 2]) expect((await publish(headers, stream, clientSeq)).status).toBe(200);
  }
  await peers.revoke(user, lost.peerId);
  return { user, phone, hub, lost, headers };
}

describe('deleting an account', () => {
  it('leaves nothing of its peers and of what they shared, and tells who is connected', async () => {
    const { user, phone, hub, lost } = await household();
    const live = await livePeer(backend, hub, (await peers.tokens(hub)).access);
    live.send({ type: 'ack', stream: 'zones', epoch: await epochOf(user, 'zones'), seq: 2 });
    expect((await remove(user.headers)).status).toBe(200);
    await live.closed;
    expect(live.frames).toContainEqual(expect.objectContaining({ type: 'bye', code: 'account_deleted' }));
    const keys = [phone, hub, lost].flatMap(({ peerId, publicKey }) => [peerId, publicKey]);
    await until(async () => (await leftOf(user.uid, ...keys)).length === 0);
    // The keys are free for whoever signs up with these devices.
    for (const peer of [phone, lost]) expect((await peers.register(newUser(), peer)).status).toBe(201);
  });

  it('finishes what is left after it died at any write', { timeout: 120_000 }, async () => {
    // Before its second write, the tombstone, nothing has begun.
    const { from, every } = stepsToTry();
    for (let writes = 2 + from; ; writes += every) {
      const user = newUser();
      const [phone, lost] = [await peers.peer(user), await peers.peer(user)];
      const { headers } = await peers.tokens(phone);
      expect((await publish(headers, 'zones', 1)).status).toBe(200);
      await peers.revoke(user, lost.peerId);
      backend.dynamo.dieAfterWrites(writes);
      const first = await remove(user.headers);
      backend.dynamo.revive();
      if (first.status !== 200) {
        expect([401, 410]).toContain((await publish(headers, 'zones', 2)).status);
        expect((await remove(user.headers)).status).toBe(200);
      }
      const left = await leftOf(user.uid, phone.peerId, phone.publicKey, lost.publicKey);
      expect(left, `after ${writes} writes`).toEqual([]);
      if (first.status === 200) break;
    }
  });

  it('beside publishes lets each be stored before it, or refused, and leaves none of them', async () => {
    const { user, headers } = await household();
    const publishing = Promise.all(
      ['a', 'b', 'c', 'd'].map(async (stream) => {
        const statuses: number[] = [];
        for (let clientSeq = 1; statuses.at(-1) !== 401 && statuses.at(-1) !== 410; clientSeq += 1) {
          statuses.push((await publish(headers, stream, clientSeq)).status);
          await setImmediate();
        }
        return statuses;
      }),
    );
    expect((await remove(user.headers)).status).toBe(200);
    const statuses = (await publishing).flat();
    expect(statuses.filter((status) => ![200, 401, 410, 429].includes(status))).toEqual([]);
    expect(await leftOf(user.uid)).toEqual([]);
  });

  it('leaves another account alone that has the same names for everything', async () => {
    const [gone, stays] = [await household(), await household()];
    const before = (await leftOf(stays.user.uid)).length;
    await remove(gone.user.headers);
    expect((await leftOf(stays.user.uid)).length).toBe(before);
    expect((await peers.list(stays.user)).body.peers).toHaveLength(2);
    expect((await publish(stays.headers, 'zones', 3)).status).toBe(200);
  });
});

describe('the export of a user’s data', () => {
  it('has the peers, the streams with their events, and how far each peer has read', async () => {
    const { user, phone, hub, lost } = await household();
    const live = await livePeer(backend, hub, (await peers.tokens(hub)).access);
    live.send({ type: 'ack', stream: 'zones', epoch: await epochOf(user, 'zones'), seq: 1 });
    await until(async () =>
      (await peers.list(user)).body.peers.some((one: { cursors: unknown[] }) => one.cursors.length > 0),
    );
    await live.close();
    const { status, body } = await backend.call('/exportMyData', { headers: user.headers });
    expect(status).toBe(200);
    expect(body.relay.peers).toMatchObject([
      { peerId: phone.peerId, type: 'phone', status: 'active', publicKey: phone.publicKey },
      { peerId: hub.peerId, type: 'hub', status: 'active' },
      { peerId: lost.peerId, status: 'revoked', revokedAt: expect.any(String) },
    ]);
    expect(body.relay.streams).toMatchObject([
      { stream: 'watering', head: 2, complete: true, events: [{ seq: 1 }, { seq: 2 }], readUpTo: [] },
      { stream: 'zones', head: 2, complete: true, readUpTo: [{ peerId: hub.peerId, seq: 1 }] },
    ]);
    const { body: empty } = await backend.call('/exportMyData', { headers: newUser().headers });
    expect(empty.relay).toEqual({ peers: [], streams: [] });
  });
});

describe('a peer in a session', () => {
  it('is out within a second when it is revoked, and the others are told', async () => {
    const phone = await peers.peer();
    const lost = await peers.peer(phone.owner);
    const [first, second] = [
      await livePeer(backend, phone, (await peers.tokens(phone)).access),
      await livePeer(backend, lost, (await peers.tokens(lost)).access),
    ];
    expect((await peers.list(phone.owner)).body.peers).toMatchObject([{ online: true }, { online: true }]);
    const started = performance.now();
    expect((await peers.revoke(phone.owner, lost.peerId)).status).toBe(200);
    await second.closed;
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(second.frames.at(-1)).toMatchObject({ type: 'bye', code: 'revoked' });
    expect(await first.until('peer_changed')).toMatchObject({ peer_id: lost.peerId, change: 'revoked' });
    expect((await peers.list(phone.owner, '?revoked=true')).body.peers).toMatchObject([
      { peer_id: phone.peerId, online: true },
      { peer_id: lost.peerId, online: false },
    ]);
    await first.close();
  });

  it('is told of peers that are registered and renamed', async () => {
    const phone = await peers.peer();
    const live = await livePeer(backend, phone, (await peers.tokens(phone)).access);
    const hub = await peers.peer(phone.owner, { name: 'Hub', type: 'hub' });
    expect(await live.until('peer_changed')).toEqual({
      ...{ type: 'peer_changed', peer_id: hub.peerId, change: 'registered', name: 'Hub', peer_type: 'hub' },
    });
    await backend.call(`/relay/peers/${hub.peerId}`, { headers: phone.owner.headers, body: { name: 'Shed' } });
    await until(async () => live.frames.some((one) => one.type === 'peer_changed' && one.name === 'Shed'));
    await live.close();
  });

  it('is seen and disconnected by operators, which is in the log, and may come back', async () => {
    const admin = { 'x-admin-token': backend.secrets.adminToken };
    const phone = await peers.peer();
    const { uid } = phone.owner;
    const { access } = await peers.tokens(phone);
    const live = await livePeer(backend, phone, access);
    const sessions = await backend.call(`/relay/accounts/${uid}/sessions`, { headers: admin });
    expect(sessions.body.sessions).toMatchObject([{ peer_id: phone.peerId, type: 'phone', subscriptions: 0 }]);
    const body = { reason: 'ticket 4711' };
    const ended = await backend.call(`/relay/accounts/${uid}/disconnect`, { headers: admin, body });
    expect(ended.body).toEqual({ ok: true, disconnected: [phone.peerId] });
    await live.closed;
    expect(live.frames.at(-1)).toMatchObject({ type: 'bye', code: 'shutdown' });
    const entry = backend.log.lines.find(({ message }) => message === 'An operator ends sessions');
    expect(entry?.fields).toMatchObject({ uid, peerIds: phone.peerId, reason: 'ticket 4711' });
    expect((await backend.call(`/relay/accounts/${uid}/sessions`, { headers: admin })).body.sessions).toEqual([]);
    const again = await livePeer(backend, phone, access);
    await again.close();
  });

  it('is not disconnected when operators name another peer, nor for an account that is unknown', async () => {
    const admin = { 'x-admin-token': backend.secrets.adminToken };
    const phone = await peers.peer();
    const live = await livePeer(backend, phone, (await peers.tokens(phone)).access);
    const call = (uid: string, fields: object) =>
      backend.call(`/relay/accounts/${uid}/disconnect`, { headers: admin, body: { reason: 'test', ...fields } });
    const other = { peer_id: '0197a1c2-5f3e-7b44-9c1d-2f6a8e0b7d10' };
    expect((await call(phone.owner.uid, other)).body.disconnected).toEqual([]);
    expect((await call('nobody', {})).body.disconnected).toEqual([]);
    live.send({ type: 'ping', id: 1 });
    await live.until('pong');
    await live.close();
  });
});

async function epochOf(user: { readonly headers: Readonly<Record<string, string>> }, stream: string): Promise<string> {
  const { body } = await backend.call('/relay/streams', { headers: user.headers });
  return body.streams.find((one: { stream: string }) => one.stream === stream).epoch;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setImmediate();
}
