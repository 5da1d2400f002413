import { randomUUID } from 'node:crypto';
import type { PeerFrame, ServerFrame } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { peersOf, type RegisteredPeer } from '../../support/peers.ts';
import { startHandshake } from '../../support/relay.ts';
import { type WholeRelay, wholeRelay } from '../../support/relay-proof/whole-relay.ts';
import { createConnection, type EstablishedPeer, established } from '../../support/relay-sessions.ts';
import { newUser } from '../../support/tokens.ts';

/*
 * Two accounts with the same names for peers and streams and the same ids of events. Whatever one asks about the other's
 * things is answered, to the byte, as if it asked about something that nobody has.
 */

let backend: Backend;
let relay: WholeRelay;
let peers: ReturnType<typeof peersOf>;
let ours: Household;
let theirs: Household;

interface Household {
  readonly owner: ReturnType<typeof newUser>;
  readonly phone: RegisteredPeer;
  readonly tokens: Awaited<ReturnType<ReturnType<typeof peersOf>['tokens']>>;
  readonly live: EstablishedPeer;
  readonly epoch: string;
  readonly continuation: string;
  readonly snapshotContinuation: string;
}

async function household(): Promise<Household> {
  const owner = newUser();
  const phone = await peers.peer(owner, { name: 'Phone' });
  const tokens = await peers.tokens(phone);
  const live = await established(relay, phone, tokens.access);
  const say = (frame: PeerFrame) => answersTo(live, frame);
  await say({ type: 'subscribe', id: 1, streams: '*' });
  const payload = 'x'.repeat(15_000);
  for (let n = 1; n <= 8; n += 1) {
    const event = { event_id: `e${n}`, type: 'changed', payload, sent_at: backend.clock.now(), key: `zone-${n}` };
    await say({ type: 'publish', id: 10 + n, stream: 'zones', client_seq: n, events: [event] });
  }
  const [pong] = await say({ type: 'ping', id: 2 });
  const epoch = pong?.type === 'pong' ? (pong.heads[0]?.epoch ?? '') : '';
  const [page] = await say({ type: 'replay', id: 3, stream: 'zones', epoch, after: 0, limit: 2 });
  const [snapshot] = await say({ type: 'snapshot', id: 4, stream: 'zones' });
  const continuation = page?.type === 'events' ? (page.continuation ?? '') : '';
  const snapshotContinuation = snapshot?.type === 'snapshot' ? (snapshot.continuation ?? '') : '';
  for (const text of [epoch, continuation, snapshotContinuation]) expect(text).not.toBe('');
  return { owner, phone, tokens, live, epoch, continuation, snapshotContinuation };
}

/** What came back to one frame. */
async function answersTo(live: EstablishedPeer, frame: PeerFrame): Promise<readonly ServerFrame[]> {
  const before = live.frames().length;
  await live.send(frame);
  return live.frames().slice(before);
}

beforeAll(async () => {
  backend = await startBackend();
  relay = await wholeRelay(backend);
  peers = peersOf(backend);
  [ours, theirs] = [await household(), await household()];
});
afterAll(() => backend.stop());

const nobody = {
  epoch: Buffer.alloc(16, 7).toString('base64url'),
  /** Of the right form, signed by nobody. */
  forged: (real: string) => `${'A'.repeat(43)}${real.slice(43)}`,
};

describe('in a session, the other account’s', () => {
  const cases: readonly [string, (of: Household | undefined) => PeerFrame][] = [
    [
      'epoch, to replay from',
      (of) => ({ type: 'replay', id: 7, stream: 'zones', epoch: of?.epoch ?? nobody.epoch, after: 0 }),
    ],
    [
      'epoch, to subscribe from',
      (of) => ({
        type: 'subscribe',
        id: 7,
        streams: [{ stream: 'zones', epoch: of?.epoch ?? nobody.epoch, after: 3 }],
      }),
    ],
    ['epoch, to acknowledge', (of) => ({ type: 'ack', stream: 'zones', epoch: of?.epoch ?? nobody.epoch, seq: 1 })],
    [
      'continuation of a replay',
      (of) => ({
        type: 'replay',
        id: 7,
        stream: 'zones',
        epoch: ours.epoch,
        after: 0,
        continuation: of?.continuation ?? nobody.forged(theirs.continuation),
      }),
    ],
    [
      'continuation with its own epoch',
      (of) => ({
        type: 'replay',
        id: 7,
        stream: 'zones',
        epoch: of?.epoch ?? nobody.epoch,
        after: 0,
        continuation: of?.continuation ?? nobody.forged(theirs.continuation),
      }),
    ],
    [
      'continuation of a snapshot',
      (of) => ({
        type: 'snapshot',
        id: 7,
        stream: 'zones',
        continuation: of?.snapshotContinuation ?? nobody.forged(theirs.snapshotContinuation),
      }),
    ],
  ];
  it.each(cases)('%s is as one that does not exist', async (_name, frameOf) => {
    const told = await answersTo(ours.live, frameOf(theirs));
    expect(JSON.stringify(told)).toBe(JSON.stringify(await answersTo(ours.live, frameOf(undefined))));
  });

  it('stream is as one that does not exist, and a stream of the same name is one’s own', async () => {
    const event = { event_id: 'only', type: 'changed', payload: 1, sent_at: backend.clock.now() };
    await answersTo(theirs.live, { type: 'publish', id: 5, stream: 'theirs', client_seq: 1, events: [event] });
    const [{ epoch = '' } = {}] = (await answersTo(theirs.live, { type: 'ping', id: 6 })).flatMap((frame) =>
      frame.type === 'pong' ? frame.heads.filter(({ stream }) => stream === 'theirs') : [],
    );
    const asked = async (stream: string) =>
      [
        await answersTo(ours.live, { type: 'replay', id: 7, stream, epoch, after: 0 }),
        await answersTo(ours.live, { type: 'snapshot', id: 7, stream }),
        await answersTo(ours.live, { type: 'subscribe', id: 7, streams: [{ stream, epoch, after: 0 }] }),
        await answersTo(ours.live, { type: 'ack', stream, epoch, seq: 1 }),
      ].map((frames) => JSON.stringify(frames));
    expect(await asked('theirs')).toEqual(await asked('nobodys'));
    const [pong] = await answersTo(ours.live, { type: 'ping', id: 8 });
    expect(pong).toMatchObject({ heads: [{ stream: 'zones', epoch: ours.epoch, head: 8 }] });
  });

  it('publishes are not repetitions of one’s own, though ids and numbers are the same', async () => {
    const event = { event_id: 'same', type: 'changed', payload: 'mine', sent_at: backend.clock.now(), key: 'k' };
    const publish = (of: Household) =>
      answersTo(of.live, { type: 'publish', id: 9, stream: 'same', client_seq: 1, events: [event], if_seq: 0 });
    const [first, second] = [await publish(theirs), await publish(ours)];
    expect([first[0]?.type, second[0]?.type]).toEqual(['published', 'published']);
    const epochOf = (frames: readonly ServerFrame[]) => (frames[0]?.type === 'published' ? frames[0].epoch : '');
    expect(epochOf(first)).not.toBe(epochOf(second));
  });

  it('frames and ids reach nobody of it: what is sealed for one connection is noise on another', async () => {
    const before = theirs.live.frames().length;
    const captured = theirs.live.session.seal({ type: 'ping', id: 1 });
    const noise = theirs.live.session.seal({ type: 'ping', id: 1 }).replace(/"c":"..../, '"c":"AAAA');
    const answered = async (text: string) => {
      const from = ours.live.frames().length;
      await ours.live.connection.say(text);
      return JSON.stringify(ours.live.frames().slice(from));
    };
    expect(await answered(captured)).toBe(await answered(noise));
    expect(theirs.live.frames()).toHaveLength(before);
  });
});

describe('at the door, the other account’s', () => {
  /** What a hello leads to on a fresh connection of ours. */
  async function greeting(peerId: string): Promise<string> {
    backend.clock.forward(1_000);
    const connection = createConnection(relay);
    const { statusCode } = await connection.connect(backendToken());
    const hello = startHandshake({ ...ours.phone, peerId }, backend.clock.now()).hello;
    await connection.say(hello);
    return JSON.stringify([statusCode, connection.messages(), connection.isClosed()]);
  }
  /** A user's token may open a connection for any of the account's peers. */
  const backendToken = () => ours.owner.headers.Authorization.slice('Bearer '.length);

  it('peer id is as one that nobody has', async () => {
    expect(await greeting(theirs.phone.peerId)).toBe(await greeting(randomUUID()));
  });

  it('session id is as a wrong one', async () => {
    const refused = async (sessionId: string) => {
      backend.clock.forward(1_000);
      const connection = createConnection(relay);
      await connection.connect(ours.tokens.access);
      const handshake = startHandshake(ours.phone, backend.clock.now());
      await connection.say(handshake.hello);
      const hello = connection.lastPlain();
      const { auth } = handshake.answer(hello, relay.serverKey(hello.server_key_id));
      await connection.say({ ...auth, session_id: sessionId });
      return JSON.stringify([connection.messages().slice(1), connection.isClosed()]);
    };
    expect(await refused(theirs.live.welcome.session_id)).toBe(
      await refused(Buffer.alloc(16, 3).toString('base64url')),
    );
  });
});

describe('over HTTP, the other account’s', () => {
  /** Status and body, without what differs with every request. */
  const asked = async (path: string, body?: object) => {
    const answer = await backend.call(path, { headers: ours.owner.headers, ...(body && { body }) });
    return JSON.stringify([answer.status, answer.body]).replaceAll(/"(request_?[iI]d)":"[^"]*"/g, '"$1":""');
  };
  const cases: readonly [string, (of: Household | undefined) => readonly [string, object?]][] = [
    ['peer, to rename', (of) => [`/relay/peers/${of?.phone.peerId ?? randomUUID()}`, { name: 'Mine' }]],
    ['peer, to revoke', (of) => [`/relay/peers/${of?.phone.peerId ?? randomUUID()}/revoke`, {}]],
    ['epoch', (of) => [`/relay/streams/zones/events?epoch=${of?.epoch ?? nobody.epoch}`]],
    [
      'continuation',
      (of) => [
        `/relay/streams/zones/events?epoch=${ours.epoch}&continuation=${of?.continuation ?? nobody.forged(theirs.continuation)}`,
      ],
    ],
    ['stream', (of) => [`/relay/streams/${of === undefined ? 'nobodys' : 'theirs'}/events`]],
    ['stream, to delete', (of) => [`/relay/streams/${of === undefined ? 'nobodys' : 'theirs'}/delete`, {}]],
    [
      'stream, to keep for longer',
      (of) => [`/relay/streams/${of === undefined ? 'nobodys' : 'theirs'}`, { retention_days: 3 }],
    ],
  ];
  it.each(cases)('%s is as one that does not exist', async (_name, request) => {
    expect(await asked(...request(theirs))).toBe(await asked(...request(undefined)));
  });

  it('peer id in a made-up refresh token is as one that nobody has', async () => {
    const made = (peerId: string) =>
      `rt_${Buffer.concat([Buffer.from(peerId.replaceAll('-', ''), 'hex'), Buffer.alloc(48, 9)]).toString('base64url')}`;
    for (const path of ['/relay/token/revoke', '/relay/token']) {
      const told = async (peerId: string) => {
        const token = made(peerId);
        const fields = { token, grant_type: 'refresh_token', refresh_token: token };
        const { status, body } = await peers.form(path, fields);
        return JSON.stringify([status, body]);
      };
      expect(await told(theirs.phone.peerId)).toBe(await told(randomUUID()));
    }
    expect((await peers.refresh(theirs.tokens.refresh)).status).toBe(200);
  });

  it('peer id in an assertion signed with one’s own key is as one that nobody has', async () => {
    const told = async (peerId: string) => {
      const { status, body } = await peers.byAssertion(peers.assertion({ ...ours.phone, peerId }));
      return JSON.stringify([status, body]);
    };
    expect(await told(theirs.phone.peerId)).toBe(await told(randomUUID()));
  });
});

it('nothing of all this reached the other account', () => {
  const events = theirs.live.frames().filter((frame) => frame.type === 'event');
  expect(events).toEqual([]);
  const seen = JSON.stringify(theirs.live.frames());
  for (const text of [ours.phone.peerId, ours.epoch]) expect(seen).not.toContain(text);
});
