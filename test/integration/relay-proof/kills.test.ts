import { randomUUID } from 'node:crypto';
import type { PeerFrame, ServerFrame } from '@autowatering/relay-protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isConnectionId } from '../../../src/relay/names.ts';
import type { Backend } from '../../support/backend.ts';
import { newEvent, peersOf, type RegisteredPeer } from '../../support/peers.ts';
import { newPeerIdentity } from '../../support/relay.ts';
import { startWholeRelay, type WholeRelay } from '../../support/relay-proof/whole-relay.ts';
import { type EstablishedPeer, established } from '../../support/relay-sessions.ts';
import { signedUp } from '../../support/signed-up.ts';
import { isThorough, stepsToTry } from '../../support/thorough.ts';
import { newUser } from '../../support/tokens.ts';

/*
 * A function that dies after each of its writes in turn, and a client that then does what clients do: repeats what was
 * not answered, in a new session if the old one is gone.
 */

let backend: Backend;
let relay: WholeRelay;
let peers: ReturnType<typeof peersOf>;
beforeAll(async () => {
  ({ backend, relay } = await startWholeRelay());
  peers = peersOf(backend);
});
afterAll(() => backend.stop());
afterEach(() => {
  backend.relayDynamo.revive();
  backend.dynamo.revive();
});

/** Runs it with one more write each time until it gets through. */
async function atEachWrite(
  of: 'dynamo' | 'relayDynamo',
  once: (die: () => void, revive: () => void) => Promise<void>,
  { from, every } = { from: 0, every: 1 },
) {
  const proxy = backend[of];
  let deaths = 0;
  for (let writes = from; ; writes += every) {
    let hasDied = false;
    await once(
      () => proxy.dieAfterWrites(writes),
      () => {
        hasDied = proxy.isDead;
        proxy.revive();
      },
    );
    if (!hasDied) return deaths;
    deaths += 1;
    expect(deaths).toBeLessThan(60);
  }
}

interface Device extends RegisteredPeer {
  readonly access: string;
}

async function device(owner = newUser()): Promise<Device> {
  const peer = await peers.peer(owner);
  return { ...peer, access: (await peers.tokens(peer)).access };
}

async function online(peer: Device): Promise<EstablishedPeer> {
  // An account may connect five times a second.
  backend.clock.forward(1_000);
  return established(relay, peer, peer.access);
}

/** Asks again until there is an answer, as a client does. */
async function insist(peer: Device, first: EstablishedPeer, frame: PeerFrame, isAnswer: (one: ServerFrame) => boolean) {
  let live = first;
  for (let attempt = 0; attempt < 4; attempt += 1) {
    if (live.connection.isClosed() || attempt > 1) live = await online(peer);
    await live.send(frame);
    const answer = live.frames().find(isAnswer);
    if (answer !== undefined) return { live, answer };
  }
  throw new Error('There was no answer');
}

const items = async (...texts: readonly string[]) =>
  (await backend.scan('relay')).filter((item) => texts.some((text) => JSON.stringify(item).includes(text)));
const ofRecord = (all: readonly Record<string, unknown>[], prefix: string) =>
  all.filter(({ record }) => String(record).startsWith(prefix));

describe('a function of the relay that dies between any two writes', () => {
  it('in a handshake lets the peer in at its next attempt, by one connection', async () => {
    const deaths = await atEachWrite('relayDynamo', async (die, revive) => {
      const peer = await device();
      const older = await online(peer);
      die();
      await online(peer).catch(() => {});
      revive();
      const live = await online(peer);
      await live.send({ type: 'ping', id: 1 });
      expect(live.frames().map(({ type }) => type)).toContain('pong');
      expect(ofRecord(await items(peer.peerId), 'online#')).toMatchObject([
        { connection_id: live.connection.connectionId },
      ]);
      expect(ofRecord(await items(peer.peerId), 'peer#')).toMatchObject([
        { connection_id: live.connection.connectionId },
      ]);
      // The older one reads nothing any more, told or not.
      const before = older.frames().length;
      const event = newEvent(backend.clock.now());
      await older.send({ type: 'publish', id: 2, stream: 'zones', client_seq: 1, events: [event] });
      await older.send({ type: 'ping', id: 3 });
      expect(
        older
          .frames()
          .slice(before)
          .map(({ type }) => type),
      ).not.toEqual(expect.arrayContaining([expect.stringMatching(/pong|published/)]));
      expect(older.connection.isClosed()).toBe(true);
      expect(live.connection.isClosed()).toBe(false);
    });
    expect(deaths).toBeGreaterThanOrEqual(4);
  });

  it.each([
    ['that makes the stream', 0, undefined],
    ['to a stream that is there', 1, undefined],
    ['with a key and a condition', 1, 'zone-1'],
  ])('in a publish %s stores it once, and answers the same', async (_name, before, key) => {
    const deaths = await atEachWrite('relayDynamo', async (die, revive) => {
      const owner = newUser();
      const [phone, tablet] = [await device(owner), await device(owner)];
      const [sender, reader] = [await online(phone), await online(tablet)];
      await reader.send({ type: 'subscribe', id: 1, streams: '*' });
      const publish = (id: number, client_seq: number, of: string | undefined): PeerFrame => ({
        ...{ type: 'publish', id, stream: 'zones', client_seq },
        events: [newEvent(backend.clock.now(), `e${client_seq}`, of === undefined ? {} : { key: of })],
        ...(of !== undefined && { if_seq: 0 }),
      });
      if (before > 0) await sender.send(publish(1, 1, undefined));
      const frame = publish(2, before + 1, key);
      die();
      await sender.send(frame);
      revive();
      const told = (one: ServerFrame) => one.type === 'published' && one.id === 2;
      const { live, answer } = await insist(phone, sender, frame, told);
      expect(answer).toMatchObject({ events: [{ seq: before + 1 }] });
      await live.send({ type: 'ping', id: 3 });
      expect(live.frames().find(({ type }) => type === 'pong')).toMatchObject({ heads: [{ head: before + 1 }] });
      expect(
        reader.frames().filter((one) => one.type === 'event' && one.event.event_id === `e${before + 1}`).length,
      ).toBeGreaterThan(0);
      const stored = await items(owner.uid);
      const parts = stored.map(({ partition }) => String(partition).split('#')[1]);
      expect(parts.filter((part) => part === 'events')).toHaveLength(before + 1);
      expect(parts.filter((part) => part === 'newest')).toHaveLength(key === undefined ? 0 : 1);
      expect(ofRecord(stored, 'log#')).toHaveLength(1);
    });
    expect(deaths).toBeGreaterThanOrEqual(2);
  });

  it('in subscribing, acknowledging and rekeying loses nothing that a repetition does not bring back', async () => {
    const frames: readonly [(epoch: string) => PeerFrame, 'subscribed' | 'pong'][] = [
      [() => ({ type: 'subscribe', id: 5, streams: '*' }), 'subscribed'],
      [(epoch) => ({ type: 'ack', stream: 'zones', epoch, seq: 1 }), 'pong'],
    ];
    for (const [frameOf, answered] of frames) {
      await atEachWrite('relayDynamo', async (die, revive) => {
        const owner = newUser();
        const [phone, tablet] = [await device(owner), await device(owner)];
        const [sender, first] = [await online(phone), await online(tablet)];
        const publish = (n: number): PeerFrame => ({
          ...{ type: 'publish', id: n, stream: 'zones', client_seq: n, events: [newEvent(backend.clock.now())] },
        });
        await sender.send(publish(1));
        const made = sender.frames().find((one) => one.type === 'published');
        const frame = frameOf(made?.type === 'published' ? made.epoch : '');
        die();
        await first.send(frame);
        revive();
        if (answered === 'subscribed') {
          const { live } = await insist(tablet, first, frame, ({ type }) => type === 'subscribed');
          await sender.send(publish(2));
          expect(live.frames().filter(({ type }) => type === 'event')).toMatchObject([{ event: { seq: 2 } }]);
        } else {
          const live = first.connection.isClosed() ? await online(tablet) : first;
          await live.send(frame);
          expect(ofRecord(await items(tablet.peerId), 'cursor#')).toMatchObject([{ seq: 1 }]);
        }
      });
    }
  });

  it('in rekeying leaves a session with old or new keys, or none', async () => {
    const deaths = await atEachWrite('relayDynamo', async (die, revive) => {
      const peer = await device();
      const first = await online(peer);
      const { frame, finish } = first.session.rekey();
      die();
      await first.send(frame);
      revive();
      const answer = first.frames().find(({ type }) => type === 'rekeyed');
      if (answer?.type === 'rekeyed') finish(answer.ephemeral_key);
      // Without an answer a client can't know, and connects again.
      const live = answer === undefined ? await online(peer) : first;
      await live.send({ type: 'ping', id: 1 });
      expect(live.connection.messages().map((text) => text).length).toBeGreaterThan(1);
      expect(live.frames().map(({ type }) => type)).toContain('pong');
      expect(ofRecord(await items(peer.peerId), 'online#')).toMatchObject([
        { connection_id: live.connection.connectionId },
      ]);
    });
    expect(deaths).toBeGreaterThanOrEqual(1);
  });

  it('in a disconnect leaves nobody online for longer than until the next event', async () => {
    const deaths = await atEachWrite('relayDynamo', async (die, revive) => {
      const owner = newUser();
      const [phone, tablet] = [await device(owner), await device(owner)];
      const [sender, gone] = [await online(phone), await online(tablet)];
      await gone.send({ type: 'subscribe', id: 1, streams: '*' });
      const { connectionId } = gone.connection;
      if (isConnectionId(connectionId)) await relay.gateway.close(connectionId);
      die();
      await gone.connection.disconnect();
      revive();
      await sender.send({
        type: 'publish',
        id: 1,
        stream: 'zones',
        client_seq: 1,
        events: [newEvent(backend.clock.now())],
      });
      const left = await items(tablet.peerId, gone.connection.connectionId);
      expect(ofRecord(left, 'online#')).toEqual([]);
      expect(ofRecord(left, 'peer#').map(({ connection_id: id }) => id)).toEqual([undefined]);
      await sender.send({ type: 'peers', id: 2 });
      const listed = sender.frames().flatMap((one) => (one.type === 'peers' ? one.peers : []));
      expect(listed.find(({ peer_id: id }) => id === tablet.peerId)).toMatchObject({ online: false });
    });
    expect(deaths).toBeGreaterThanOrEqual(2);
  });
});

describe('a function of the API that dies between any two writes', () => {
  it('in a registration leaves one peer, or none', async () => {
    await atEachWrite('dynamo', async (die, revive) => {
      const [owner, identity] = [newUser(), newPeerIdentity()];
      die();
      await peers.register(owner, identity, { name: 'Phone' });
      revive();
      expect([200, 201]).toContain((await peers.register(owner, identity, { name: 'Phone' })).status);
      const stored = await items(owner.uid);
      expect(['peer#', 'name#'].map((prefix) => ofRecord(stored, prefix).length)).toEqual([1, 1]);
      expect(ofRecord(stored, 'account')).toMatchObject([{ active_peers: 1 }]);
    });
  });

  it('in a revocation leaves nothing that the peer could use, and its name free', async () => {
    const deaths = await atEachWrite('dynamo', async (die, revive) => {
      const owner = newUser();
      const peer = await peers.peer(owner, { name: 'Lost' });
      const tokens = await peers.tokens(peer);
      const live = await online({ ...peer, access: tokens.access });
      die();
      await peers.revoke(owner, peer.peerId);
      revive();
      expect((await peers.revoke(owner, peer.peerId)).status).toBe(200);
      const left = await items(owner.uid);
      expect(['online#', 'family#', 'name#'].flatMap((prefix) => ofRecord(left, prefix))).toEqual([]);
      expect(ofRecord(left, 'account')).toMatchObject([{ active_peers: 0 }]);
      expect((await peers.refresh(tokens.refresh)).status).toBe(400);
      const before = live.frames().length;
      await live.send({
        type: 'publish',
        id: 1,
        stream: 'zones',
        client_seq: 1,
        events: [newEvent(backend.clock.now())],
      });
      expect(
        live
          .frames()
          .slice(before)
          .filter(({ type }) => type !== 'bye'),
      ).toEqual([]);
      expect((await peers.register(owner, newPeerIdentity(), { name: 'Lost' })).status).toBe(201);
    });
    expect(deaths).toBeGreaterThanOrEqual(3);
  });

  it('in the deletion of a stream leaves nothing of it', async () => {
    const deaths = await atEachWrite('dynamo', async (die, revive) => {
      const peer = await device();
      const live = await online(peer);
      for (const n of [1, 2]) {
        const event = newEvent(backend.clock.now(), randomUUID(), { key: `zone-${n}` });
        await live.send({ type: 'publish', id: n, stream: 'zones', client_seq: n, events: [event] });
      }
      const [made] = live.frames().flatMap((one) => (one.type === 'published' ? [one.epoch] : []));
      await live.send({ type: 'ack', stream: 'zones', epoch: made ?? '', seq: 1 });
      const remove = () => backend.call('/relay/streams/zones/delete', { headers: peer.owner.headers, body: {} });
      die();
      await remove();
      revive();
      expect([200, 404]).toContain((await remove()).status);
      const left = await items(peer.owner.uid);
      expect(left.filter(({ partition }) => String(partition).includes('zones'))).toEqual([]);
      expect(['stream#', 'log#', 'cursor#'].flatMap((prefix) => ofRecord(left, prefix))).toEqual([]);
      expect(ofRecord(left, 'account')).toMatchObject([{ streams: 0, allotted: 0 }]);
    });
    expect(deaths).toBeGreaterThanOrEqual(4);
  });

  it('in the deletion of an account leaves nothing, a session that never ended included', {
    timeout: 120_000,
  }, async () => {
    const deaths = await atEachWrite(
      'dynamo',
      async (die, revive) => {
        const user = await signedUp(backend);
        const peer = await peers.peer(newUser({ sub: user.uid }));
        const live = await online({ ...peer, access: (await peers.tokens(peer)).access });
        await live.send({
          type: 'publish',
          id: 1,
          stream: 'zones',
          client_seq: 1,
          events: [newEvent(backend.clock.now())],
        });
        await live.send({ type: 'subscribe', id: 2, streams: '*' });
        const remove = () =>
          backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
        die();
        const first = await remove();
        revive();
        if (first.status !== 200) expect((await remove()).status).toBe(200);
        expect(await items(user.uid, peer.peerId, peer.publicKey, live.connection.connectionId)).toEqual([]);
      },
      stepsToTry(),
    );
    expect(deaths).toBeGreaterThanOrEqual(isThorough ? 8 : 2);
  });
});
