import { setImmediate } from 'node:timers/promises';
import type { ServerFrame } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../support/backend.ts';
import { newEvent, peersOf, type RegisteredPeer } from '../../support/peers.ts';
import { startWholeRelay, type WholeRelay } from '../../support/relay-proof/whole-relay.ts';
import { type EstablishedPeer, established } from '../../support/relay-sessions.ts';
import { signedUp } from '../../support/signed-up.ts';
import { newUser } from '../../support/tokens.ts';

/* RELAY_RACE_ROUNDS rounds (2) of calls that really run at the same time, in two containers and the API. */
const ROUNDS = Number(process.env['RELAY_RACE_ROUNDS'] ?? 2);

let backend: Backend;
let relay: WholeRelay;
let peers: ReturnType<typeof peersOf>;
beforeAll(async () => {
  ({ backend, relay } = await startWholeRelay());
  peers = peersOf(backend);
});
afterAll(() => backend.stop());

async function online(peer: RegisteredPeer): Promise<EstablishedPeer> {
  const { access } = await peers.tokens(peer);
  backend.clock.forward(1_000);
  return established(relay, peer, access);
}

const items = async (...texts: readonly string[]) =>
  (await backend.scan('relay')).filter((item) => texts.some((text) => JSON.stringify(item).includes(text)));
const eventsOf = async (uid: string) =>
  (await items(uid))
    .filter(({ partition }) => String(partition).startsWith(`${uid}#events#`))
    .map(({ events }) => String(JSON.parse(String(events))[0].event_id));

/** Publishes and acknowledges to several streams at once until the peer is thrown out. */
async function publishing(live: EstablishedPeer, isOver: () => boolean) {
  const containers = [relay.invoke, relay.anotherContainer()];
  await Promise.all(
    ['a', 'b', 'c'].map(async (stream, at) => {
      for (let n = 1; !isOver() && !live.connection.isClosed(); n += 1) {
        const event = newEvent(backend.clock.now(), `${stream}-${n}`, { key: 'k' });
        const container = containers[(at + n) % 2];
        await live.send({ type: 'publish', id: n * 10 + at, stream, client_seq: n, events: [event] }, container);
        const made = live.frames().findLast((one) => one.type === 'published');
        if (made?.type === 'published') await live.send({ type: 'ack', stream, epoch: made.epoch, seq: 1 }, container);
        await setImmediate();
      }
    }),
  );
}

const publishedIds = (frames: readonly ServerFrame[]) =>
  frames.flatMap((one) => (one.type === 'published' ? one.events.map(({ event_id: id }) => id) : []));

describe('beside publishes and acknowledgements', () => {
  it('a revocation lets each event be stored before it, or refuses it', {
    timeout: 60_000 + ROUNDS * 5_000,
  }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const owner = newUser();
      const [lost, phone] = [await peers.peer(owner), await peers.peer(owner)];
      const [live, other] = [await online(lost), await online(phone)];
      await other.send({ type: 'subscribe', id: 1, streams: '*' });
      let revoked: Promise<readonly string[]> | undefined;
      const revoke = async () => {
        while (publishedIds(live.frames()).length < 2 + round) await setImmediate();
        expect((await peers.revoke(owner, lost.peerId)).status).toBe(200);
        // From here on nothing of it may be stored.
        revoked = eventsOf(owner.uid);
      };
      await Promise.all([publishing(live, () => false), revoke()]);
      const stored = [...(await eventsOf(owner.uid))].sort();
      expect(stored).toEqual([...((await revoked) ?? [])].sort());
      // Whatever it was told is there; what was stored without an answer is the last of its stream.
      expect(stored).toEqual(expect.arrayContaining([...publishedIds(live.frames())]));
      for (const stream of ['a', 'b', 'c']) {
        const own = stored.filter((id) => id.startsWith(stream));
        expect(own.map((id) => Number(id.slice(2))).sort((x, y) => x - y)).toEqual(own.map((_, at) => at + 1));
      }
      expect(live.connection.isClosed()).toBe(true);
      const received = other.frames().flatMap((one) => (one.type === 'event' ? [one.event.event_id] : []));
      expect(received.filter((id) => !stored.includes(id))).toEqual([]);
    }
  });

  it('the deletion of an account leaves no item', { timeout: 60_000 + ROUNDS * 5_000 }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const user = await signedUp(backend);
      const owner = newUser({ sub: user.uid });
      const [first, second] = [await peers.peer(owner), await peers.peer(owner)];
      const [one, two] = [await online(first), await online(second)];
      let isOver = false;
      const remove = async () => {
        while (publishedIds(one.frames()).length < 2 + round) await setImmediate();
        expect(
          (await backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } })).status,
        ).toBe(200);
        isOver = true;
      };
      await Promise.all([publishing(one, () => isOver), publishing(two, () => isOver), remove()]);
      expect(await items(user.uid, first.peerId, second.peerId)).toEqual([]);
    }
  });

  it('the deletion of a stream leaves nothing of the old one, and no number is given twice', {
    timeout: 60_000 + ROUNDS * 5_000,
  }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const owner = newUser();
      const peer = await peers.peer(owner);
      const live = await online(peer);
      let isOver = false;
      const remove = async () => {
        while (publishedIds(live.frames()).length < 2 + round) await setImmediate();
        expect((await backend.call('/relay/streams/a/delete', { headers: owner.headers, body: {} })).status).toBe(200);
        isOver = true;
      };
      await Promise.all([publishing(live, () => isOver), remove()]);
      const left = await items(owner.uid);
      const logs = left
        .filter(({ record }) => String(record).startsWith('log#a#'))
        .map(({ record }) => String(record).split('#')[2]);
      const stream = left.find(({ record }) => record === 'stream#a');
      expect(logs).toEqual(stream === undefined ? [] : [stream['log_id']]);
      const partitions = left
        .map(({ partition }) => String(partition).split('#'))
        .filter(([, kind, name]) => kind !== undefined && name === 'a');
      expect(partitions.filter(([, , , log]) => log !== stream?.['log_id'])).toEqual([]);
      if (stream === undefined) expect(left.filter(({ record }) => String(record).endsWith('#a'))).toEqual([]);
    }
  });
});

describe('on its way to the table', () => {
  /** Holds the write of a frame while something else is done. */
  async function overtaken(
    operation: string,
    send: () => Promise<unknown>,
    meanwhile: () => Promise<unknown>,
    proxy = backend.relayDynamo,
  ) {
    let release = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    const met = proxy.faultsMet();
    proxy.setFaults([{ match: `\\.${operation}$`, until, times: 1 }]);
    const sending = send();
    while (proxy.faultsMet() === met) await setImmediate();
    await meanwhile();
    release();
    await sending;
    proxy.setFaults([]);
  }

  async function publisher() {
    const user = await signedUp(backend);
    const owner = newUser({ sub: user.uid });
    const peer = await peers.peer(owner);
    const live = await online(peer);
    const publish = (n: number) =>
      live.send({
        ...{ type: 'publish', id: n, stream: 'a', client_seq: n },
        events: [newEvent(backend.clock.now(), `a-${n}`)],
      });
    await publish(1);
    const made = live.frames().find((one) => one.type === 'published');
    const epoch = made?.type === 'published' ? made.epoch : '';
    const removeAccount = () =>
      backend.call('/deleteMyAccount', { headers: user.headers, body: { confirmText: 'DELETE' } });
    const removeStream = () => backend.call('/relay/streams/a/delete', { headers: owner.headers, body: {} });
    return { ...{ owner, peer, live, publish, removeAccount, removeStream }, ack: { stream: 'a', epoch, seq: 1 } };
  }

  it('a publish is refused when its peer is revoked', async () => {
    const { owner, peer, live, publish } = await publisher();
    await overtaken(
      'TransactWriteItems',
      () => publish(2),
      () => peers.revoke(owner, peer.peerId),
    );
    expect(publishedIds(live.frames())).toEqual(['a-1']);
    expect(await eventsOf(owner.uid)).toEqual(['a-1']);
  });

  it('a publish over HTTP is refused when its peer is revoked', async () => {
    const { owner, peer } = await publisher();
    const { headers } = await peers.tokens(peer);
    let status = 0;
    const publish = async () => {
      const body = { client_seq: 2, events: [newEvent(backend.clock.now(), 'a-2')] };
      status = (await backend.call('/relay/streams/a/events', { headers, body })).status;
    };
    await overtaken('TransactWriteItems', publish, () => peers.revoke(owner, peer.peerId), backend.dynamo);
    expect(status).toBe(401);
    expect(await eventsOf(owner.uid)).toEqual(['a-1']);
  });

  it('a publish is refused when its account is deleted, and leaves nothing', async () => {
    const { owner, live, publish, removeAccount } = await publisher();
    await overtaken('TransactWriteItems', () => publish(2), removeAccount);
    expect(publishedIds(live.frames())).toEqual(['a-1']);
    expect(await items(owner.uid)).toEqual([]);
  });

  it('an acknowledgement leaves nothing when its account is deleted', async () => {
    const { owner, live, ack, removeAccount } = await publisher();
    await overtaken('UpdateItem', () => live.send({ type: 'ack', ...ack }), removeAccount);
    expect(await items(owner.uid)).toEqual([]);
  });

  it('an acknowledgement leaves no cursor when its stream is deleted', async () => {
    const { owner, live, ack, removeStream } = await publisher();
    await overtaken('UpdateItem', () => live.send({ type: 'ack', ...ack }), removeStream);
    expect((await items(owner.uid)).filter(({ record }) => String(record).startsWith('cursor#'))).toEqual([]);
  });
});
