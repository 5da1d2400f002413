import type { Events, RelayEvent, ServerFrame, SnapshotPage } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { relayOf, type TestPeer } from '../../support/relay-account.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** What API Gateway passes on, before base64 and the rest of a sealed frame. */
const MESSAGE_BYTES = 128 * 1024;

let backend: Backend;
let relay: ReturnType<typeof relayOf>;
beforeAll(async () => {
  backend = await startBackend();
  relay = relayOf(backend.services);
});
afterAll(() => backend.stop());

const published = (frame: ServerFrame) => {
  if (frame.type !== 'published') throw new Error(JSON.stringify(frame));
  return frame;
};
const pageOf = (frames: readonly ServerFrame[]): Events => {
  const [page] = frames;
  if (frames.length !== 1 || page?.type !== 'events') throw new Error(JSON.stringify(frames));
  return page;
};
const seqs = (events: readonly RelayEvent[]) => events.map(({ seq }) => seq);
const upTo = (last: number, from = 1) => Array.from({ length: last - from + 1 }, (_, at) => from + at);

/** A peer that has published that many events, in batches, within the rate. */
async function author(count: number, payload: string = 'x'): Promise<{ peer: TestPeer; epoch: string }> {
  const peer = await relay.peer(relay.newAccount());
  let epoch = '';
  for (let first = 1; first <= count; first += 20) {
    const events = upTo(Math.min(first + 19, count), first).map((n) => relay.event({ payload: { n, payload } }));
    ({ epoch } = published(await peer.publish('zones', first, events)));
    backend.clock.forward(1_000);
  }
  return { peer, epoch };
}

async function replayAll(peer: TestPeer, epoch: string, limit: number): Promise<readonly (readonly RelayEvent[])[]> {
  const pages: (readonly RelayEvent[])[] = [];
  let continuation: string | undefined;
  do {
    const page = pageOf(
      await peer.say({
        ...{ type: 'replay', id: 1, stream: 'zones', epoch, after: 0, limit },
        ...(continuation !== undefined && { continuation }),
      }),
    );
    pages.push(page.events);
    ({ continuation } = page);
  } while (continuation !== undefined);
  return pages;
}

describe('a replay', () => {
  it('goes by pages of the limit, and misses and repeats nothing', async () => {
    const { peer, epoch } = await author(75);
    expect((await replayAll(peer, epoch, 30)).map(seqs)).toEqual([upTo(30), upTo(60, 31), upTo(75, 61)]);
    expect((await replayAll(peer, epoch, 75)).map(seqs)).toEqual([upTo(75)]);
    const rest = pageOf(await peer.say({ type: 'replay', id: 1, stream: 'zones', epoch, after: 70 }));
    expect(seqs(rest.events)).toEqual(upTo(75, 71));
    expect(pageOf(await peer.say({ type: 'replay', id: 1, stream: 'zones', epoch, after: 75 })).events).toEqual([]);
  });

  it('ends a page before it would be larger than a message', async () => {
    const { peer, epoch } = await author(40, 'ä'.repeat(3_000));
    const pages = await replayAll(peer, epoch, 1_000);
    expect(pages.length).toBeGreaterThan(2);
    expect(pages.flatMap(seqs)).toEqual(upTo(40));
    for (const message of relay.posted.get(peer.session.connectionId) ?? []) {
      expect(Buffer.byteLength(message)).toBeLessThan(MESSAGE_BYTES);
    }
  });

  it('is reset when the epoch is another, or the position is behind the head', async () => {
    const { peer, epoch } = await author(3);
    const reset = { type: 'reset', id: 1, stream: 'zones', epoch, head: 3, oldest: 1 };
    expect(await peer.say({ type: 'replay', id: 1, stream: 'zones', epoch: 'another', after: 0 })).toEqual([reset]);
    expect(await peer.say({ type: 'replay', id: 1, stream: 'zones', epoch, after: 4 })).toEqual([reset]);
  });

  it('is reset when the events behind the position are gone, and goes on from the oldest that is left', async () => {
    const { peer, epoch } = await author(4);
    backend.clock.forward(89 * DAY_MS);
    published(await peer.publish('zones', 5, [relay.event()]));
    backend.clock.forward(2 * DAY_MS);
    const ask = (after: number) => peer.say({ type: 'replay', id: 1, stream: 'zones', epoch, after });
    expect(await ask(0)).toEqual([{ type: 'reset', id: 1, stream: 'zones', epoch, head: 5, oldest: 5 }]);
    expect(seqs(pageOf(await ask(4)).events)).toEqual([5]);
    backend.clock.forward(90 * DAY_MS);
    expect(await ask(4)).toEqual([{ type: 'reset', id: 1, stream: 'zones', epoch, head: 5, oldest: 6 }]);
    expect(pageOf(await ask(5)).events).toEqual([]);
  });

  it('leaves out what has expired by its own time to live, and nothing else', async () => {
    const peer = await relay.peer(relay.newAccount());
    const events = [relay.event({ ttl_seconds: 60 }), relay.event(), relay.event({ ttl_seconds: 120 })];
    const { epoch, time } = published(await peer.publish('zones', 1, events));
    published(await peer.publish('zones', 4, [relay.event({ ttl_seconds: 30 })]));
    const read = async () => pageOf(await peer.say({ type: 'replay', id: 1, stream: 'zones', epoch, after: 0 })).events;
    expect((await read()).map(({ expires_at: end }) => end && end - time)).toEqual([
      60_000,
      undefined,
      120_000,
      expect.any(Number),
    ]);
    backend.clock.forward(61_000);
    expect(seqs(await read())).toEqual([2, 3]);
    backend.clock.forward(60_000);
    expect(seqs(await read())).toEqual([2]);
    // What was published is known all the same.
    expect(published(await peer.publish('zones', 1, events)).events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('answers not_found for a stream that the account does not have', async () => {
    const peer = await relay.peer(relay.newAccount());
    const [answer] = await peer.say({ type: 'replay', id: 7, stream: 'zones', epoch: 'x', after: 0 });
    expect(answer).toMatchObject({ type: 'error', code: 'not_found', id: 7 });
  });
});

describe('a continuation', () => {
  it('is refused for another account, stream, epoch or limit, and when it was changed', async () => {
    const { peer, epoch } = await author(10);
    const other = await author(10);
    published(await peer.publish('other', 1, [relay.event()]));
    const ask = async (
      by: TestPeer,
      more: { stream?: string; epoch?: string; limit?: number; continuation?: string },
    ) => (await by.say({ type: 'replay', id: 1, stream: 'zones', epoch, after: 0, limit: 4, ...more }))[0];
    const first = await ask(peer, {});
    const token = first?.type === 'events' ? (first.continuation ?? '') : '';
    expect(await ask(peer, { continuation: token })).toMatchObject({ type: 'events', events: { length: 4 } });
    const refused = { type: 'error', code: 'bad_continuation' };
    expect(await ask(other.peer, { continuation: token, epoch: other.epoch })).toMatchObject(refused);
    expect(await ask(peer, { continuation: token, stream: 'other' })).toMatchObject(refused);
    expect(await ask(peer, { continuation: token, epoch: 'another' })).toMatchObject(refused);
    expect(await ask(peer, { continuation: token, limit: 5 })).toMatchObject(refused);
    for (let at = 0; at < token.length; at += 7) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      expect(await ask(peer, { continuation: changed })).toMatchObject(refused);
    }
    expect(await ask(peer, { continuation: 'x' })).toMatchObject(refused);
    const [snapshot] = await peer.say({ type: 'snapshot', id: 1, stream: 'zones', continuation: token });
    expect(snapshot).toMatchObject(refused);
  });
});

describe('a snapshot', () => {
  const snapshot = async (peer: TestPeer): Promise<readonly SnapshotPage[]> => {
    const pages: SnapshotPage[] = [];
    let continuation: string | undefined;
    do {
      const [page] = await peer.say({
        type: 'snapshot',
        id: 1,
        stream: 'zones',
        ...(continuation && { continuation }),
      });
      if (page?.type !== 'snapshot') throw new Error(JSON.stringify(page));
      pages.push(page);
      ({ continuation } = page);
    } while (continuation !== undefined);
    return pages;
  };

  it('has the newest event of each key that has not expired, and the head to replay from', async () => {
    const peer = await relay.peer(relay.newAccount());
    const of = (key: string, more = {}) => relay.event({ key, ...more });
    await peer.publish('zones', 1, [of('b'), of('a'), relay.event(), of('b'), of('c', { ttl_seconds: 60 })]);
    await peer.publish('zones', 6, [of('a')]);
    const [page] = await snapshot(peer);
    expect(page?.events.map(({ key, seq }) => [key, seq])).toEqual([
      ...[
        ['a', 6],
        ['b', 4],
      ],
      ['c', 5],
    ]);
    expect(page?.head).toBe(6);
    backend.clock.forward(61_000);
    const [later] = await snapshot(peer);
    expect(later?.events.map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('goes by pages that fit into a message, all with the head of the first', async () => {
    const peer = await relay.peer(relay.newAccount());
    for (let first = 1; first <= 40; first += 10) {
      const events = upTo(first + 9, first).map((n) => relay.event({ key: `zone-${n}`, payload: 'x'.repeat(3_000) }));
      published(await peer.publish('zones', first, events));
    }
    const [first] = await peer.say({ type: 'snapshot', id: 1, stream: 'zones' });
    if (first?.type !== 'snapshot' || first.continuation === undefined) throw new Error('one page is enough');
    published(await peer.publish('zones', 41, [relay.event()]));
    const [second] = await peer.say({ type: 'snapshot', id: 1, stream: 'zones', continuation: first.continuation });
    if (second?.type !== 'snapshot') throw new Error(JSON.stringify(second));
    expect([first.head, second.head]).toEqual([40, 40]);
    const keys = [...first.events, ...second.events].map(({ key }) => key);
    expect(new Set(keys).size).toBe(40);
    expect(keys).toHaveLength(40);
  });
});

describe('subscribing', () => {
  it('sends what was missed, then the heads, then what happens', async () => {
    const { peer, epoch } = await author(45);
    const tablet = await relay.peer(peer.uid);
    const frames = await tablet.say({
      type: 'subscribe',
      id: 3,
      streams: [{ stream: 'zones', epoch, after: 5 }, { stream: 'nowhere' }],
    });
    expect(frames.map(({ type }) => type)).toEqual(['events', 'subscribed']);
    expect(frames.flatMap((frame) => (frame.type === 'events' ? seqs(frame.events) : []))).toEqual(upTo(45, 6));
    expect(frames.at(-1)).toEqual({ type: 'subscribed', id: 3, streams: [{ stream: 'zones', epoch, head: 45 }] });
    published(await peer.publish('zones', 46, [relay.event()]));
    published(await peer.publish('other', 1, [relay.event()]));
    expect(tablet.live().map(({ stream, event }) => [stream, event.seq])).toEqual([['zones', 46]]);
    await tablet.say({ type: 'subscribe', id: 4, streams: [{ stream: 'other' }] });
    published(await peer.publish('other', 2, [relay.event()]));
    published(await peer.publish('zones', 47, [relay.event()]));
    expect(tablet.live().map(({ stream, event }) => [stream, event.seq])).toEqual([
      ...[
        ['zones', 46],
        ['other', 2],
      ],
      ['zones', 47],
    ]);
  });

  it('leaves the rest of a long absence to a replay by the last page’s continuation', async () => {
    const { peer, epoch } = await author(300, 'x'.repeat(1_000));
    const tablet = await relay.peer(peer.uid);
    const frames = await tablet.say({ type: 'subscribe', id: 3, streams: [{ stream: 'zones', epoch, after: 0 }] });
    const pages = frames.filter((frame) => frame.type === 'events');
    expect(frames.at(-1)?.type).toBe('subscribed');
    let events = pages.flatMap((page) => page.events);
    let continuation = pages.at(-1)?.continuation;
    while (continuation !== undefined) {
      const page = pageOf(
        await tablet.say({ type: 'replay', id: 4, stream: 'zones', epoch, after: 0, limit: 50, continuation }),
      );
      events = [...events, ...page.events];
      ({ continuation } = page);
    }
    expect(seqs(events)).toEqual(upTo(300));
  });

  it('is reset where the epoch is another, and told the heads of the others', async () => {
    const { peer, epoch } = await author(2);
    const frames = await peer.say({ type: 'subscribe', id: 1, streams: [{ stream: 'zones', epoch: 'old', after: 9 }] });
    expect(frames).toEqual([
      { type: 'reset', id: 1, stream: 'zones', epoch, head: 2, oldest: 1 },
      { type: 'subscribed', id: 1, streams: [{ stream: 'zones', epoch, head: 2 }] },
    ]);
  });
});

describe('a session', () => {
  it('learns the heads by a ping, and who else there is', async () => {
    const { peer, epoch } = await author(2);
    expect(await peer.say({ type: 'ping', id: 9 })).toEqual([
      { type: 'pong', id: 9, time: expect.any(Number), heads: [{ stream: 'zones', epoch, head: 2 }] },
    ]);
    const tablet = await relay.peer(peer.uid);
    const [answer] = await tablet.say({ type: 'peers', id: 1 });
    const peers = answer?.type === 'peers' ? answer.peers : [];
    expect(new Set(peers.map((each) => each.peer_id))).toEqual(new Set([peer.peerId, tablet.peerId]));
    expect(peers.map(({ online }) => online)).toEqual([true, true]);
  });

  it('keeps how far it has read, never backwards and never beyond the head', async () => {
    const { peer, epoch } = await author(5);
    const cursor = async () =>
      (await backend.scan('relay')).find(({ record }) => record === `cursor#${peer.peerId}#zones`)?.['seq'];
    for (const [seq, kept] of [
      [3, 3],
      [2, 3],
      [9, 3],
      [5, 5],
    ]) {
      await peer.say({ type: 'ack', stream: 'zones', epoch, seq: seq ?? 0 });
      expect(await cursor()).toBe(kept);
    }
    await peer.say({ type: 'ack', stream: 'zones', epoch: 'another', seq: 1 });
    await peer.say({ type: 'ack', stream: 'nowhere', epoch, seq: 1 });
    expect(await cursor()).toBe(5);
    expect((await backend.scan('relay')).filter(({ record }) => String(record).endsWith('#nowhere'))).toEqual([]);
  });
});
