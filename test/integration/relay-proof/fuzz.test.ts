import { createCipheriv, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { ERROR_CODES, type ServerFrame, sealedFrameAad } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../firmware-sim/time/random.ts';
import { isConnectionId, isPeerId } from '../../../src/relay/names.ts';
import { createConnectionStore } from '../../../src/relay/session/store/connection-store.ts';
import { connectionKey, onlineKey, peerKey } from '../../../src/relay/table-keys.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { type PeerSession, startHandshake } from '../../support/relay.ts';
import { uidOf } from '../../support/relay-account.ts';
import { type Corpus, fuzzedFrame } from '../../support/relay-proof/fuzzed-frames.ts';
import { wholeRelay } from '../../support/relay-proof/whole-relay.ts';
import { createConnection, established } from '../../support/relay-sessions.ts';

/* RELAY_FUZZ_FRAMES frames in each state (100), from RELAY_FUZZ_SEED. The nightly workflow sends 100,000. */
const FRAMES = Number(process.env['RELAY_FUZZ_FRAMES'] ?? 100);
const SEED = Number(process.env['RELAY_FUZZ_SEED'] ?? randomInt(2 ** 31));
const LANES = 3;
const MOST_FAULTS = 5;

let backend: Backend;
const rejections: unknown[] = [];
const onRejection = (reason: unknown) => rejections.push(reason);
beforeAll(async () => {
  backend = await startBackend({}, { isDirect: true });
  process.on('unhandledRejection', onRejection);
});
afterAll(async () => {
  process.off('unhandledRejection', onRejection);
  await backend.stop();
});

const STATES = ['connected', 'greeted', 'established', 'closed'] as const;
type State = (typeof STATES)[number];

/** A connection that can be brought back to a state as often as one likes, and somebody of another account beside it. */
async function lane(state: State) {
  const { services } = backend;
  const relay = await wholeRelay(backend);
  const TableName = services.config.tables.relay;
  const [uid, strangerUid] = [randomUUID(), randomUUID()];
  const [peer, stranger] = [await relay.newPeer(uid, 'Phone'), await relay.newPeer(strangerUid, 'Phone')];
  const other = await established(relay, stranger.identity, stranger.token);
  await other.send({ type: 'subscribe', id: 1, streams: '*' });
  const connection = createConnection(relay);
  const { connectionId } = connection;
  const { peerId } = peer.identity;
  if (!isConnectionId(connectionId) || !isPeerId(peerId)) throw new Error('bad ids');
  const store = createConnectionStore(services);
  const open = () => store.open({ connectionId, uid: uidOf(uid), tokenPeerId: peerId }, relay.now());
  await open();

  const handshake = startHandshake(peer.identity, relay.now());
  let session: PeerSession | undefined;
  const real = [JSON.stringify(handshake.hello)];
  if (state !== 'connected') {
    await connection.say(handshake.hello);
    const hello = connection.lastPlain();
    const answered = handshake.answer(hello, relay.serverKey(hello.server_key_id));
    real.push(JSON.stringify(answered.auth), JSON.stringify(hello));
    session = answered.session;
    if (state === 'established') await connection.say(answered.auth);
    if (state === 'closed') await store.close(connectionId);
  }
  const keys = [
    connectionKey(connectionId),
    ...(state === 'established' ? [peerKey(uidOf(uid), peerId), onlineKey(uidOf(uid), peerId)] : []),
  ];
  const saved = await Promise.all(keys.map(async (Key) => (await backend.tables.get({ TableName, Key })).Item));
  const savedAt = relay.now();
  const restore = async () => {
    const passed = relay.now() - savedAt;
    await Promise.all(
      saved.map((item) => item && backend.tables.put({ TableName, Item: { ...item, ...later(item, passed) } })),
    );
    relay.gateway.reopen(connectionId);
  };

  const now = relay.now();
  const event = {
    event_id: randomUUID(),
    type: 'changed',
    payload: { a: [1, { b: 'c' }] },
    sent_at: now,
    key: 'zone-1',
  };
  const inner = [
    { type: 'publish', id: 1, stream: 'zones', client_seq: 1, events: [event], if_seq: 0 },
    { type: 'subscribe', id: 2, streams: [{ stream: 'zones', epoch: 'AAAA', after: 0 }] },
    { type: 'replay', id: 3, stream: 'zones', epoch: 'AAAA', after: 0, limit: 10, continuation: 'AAAA' },
    { type: 'snapshot', id: 4, stream: 'zones', continuation: 'AAAA' },
    { type: 'ack', stream: 'zones', epoch: 'AAAA', seq: 1 },
    { type: 'ping', id: 5 },
    { type: 'peers', id: 6 },
    { type: 'rekey', ephemeral_key: randomBytes(32).toString('base64url') },
  ].map((frame) => JSON.stringify(frame));
  const theirHello = startHandshake(stranger.identity, now).hello;
  const foreign = [
    JSON.stringify(theirHello),
    other.session.seal({ type: 'ping', id: 1 }),
    ...other.connection.messages(),
  ];
  const corpus: Corpus = { real, foreign, inner, seal: state === 'established' && session ? seal(session) : undefined };
  return { relay, connection, session, restore, corpus };
}

/** The times of an item, as if it had been written so much later. */
function later(item: Readonly<Record<string, unknown>>, ms: number): Record<string, number> {
  const times = ['opened_at', 'greeted_at', 'established_at', 'rekeyed_at', 'connection_ends_at'];
  const moved = times.flatMap((name) => (typeof item[name] === 'number' ? [[name, item[name] + ms] as const] : []));
  const { expires_at: expires } = item;
  return {
    ...Object.fromEntries(moved),
    ...(typeof expires === 'number' && { expires_at: expires + Math.ceil(ms / 1000) }),
  };
}

function seal(session: PeerSession): (text: string) => string {
  return (text) => session.seal(text, 0);
}

/** Sealed as the peer would, but not text. */
function sealedBytes({ sessionId, generations }: PeerSession, bytes: Buffer): string {
  const [n, [keys]] = [randomBytes(12), generations];
  const cipher = createCipheriv('aes-256-gcm', keys?.c2s ?? '', n);
  cipher.setAAD(sealedFrameAad('c2s', Buffer.from(sessionId, 'base64url'), 0));
  const sealed = Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  return JSON.stringify({ g: 0, n: n.toString('base64url'), c: sealed.toString('base64url') });
}

async function fuzz(state: State, laneSeed: number, frames: number): Promise<Readonly<Record<string, number>>> {
  const random = seededRandom(laneSeed);
  const { relay, connection, session, restore, corpus } = await lane(state);
  const { gateway, invoke } = relay;
  const containers = [invoke, relay.anotherContainer()];
  const outcomes: Record<string, number> = {};
  let faults = 0;
  gateway.posted.length = 0;
  await restore();
  for (let n = 0; n < frames; n += 1) {
    const noise = session && random.happens(0.03) ? sealedBytes(session, randomBytes(40)) : undefined;
    const frame = noise ?? fuzzedFrame(random, corpus);
    const what = () =>
      `frame ${n} of lane ${laneSeed} (RELAY_FUZZ_SEED=${SEED}): ${JSON.stringify(frame).slice(0, 300)}`;
    const { statusCode } = await connection.say(frame, containers[n % 2]);
    if (statusCode !== 200) throw new Error(`answered ${statusCode}: ${what()}`);
    const posted = gateway.posted.splice(0);
    const astray = posted.filter(({ connectionId }) => connectionId !== connection.connectionId);
    if (astray.length > 0) throw new Error(`told to somebody else: ${what()}`);
    const told: ServerFrame[] = posted.map(({ message }) => {
      const read = JSON.parse(message);
      return 'c' in read && session !== undefined ? session.open(message) : read;
    });
    for (const one of told) {
      const key = one.type === 'error' || one.type === 'bye' ? `${one.type} ${one.code}` : one.type;
      outcomes[key] = (outcomes[key] ?? 0) + 1;
      if (one.type === 'error' && !ERROR_CODES.includes(one.code)) throw new Error(`unknown code: ${what()}`);
    }
    const isClosed = connection.isClosed();
    const wrong = complaint(state, told, isClosed);
    if (wrong !== undefined) throw new Error(`${wrong}: ${JSON.stringify(told)} to ${what()}`);
    if (state === 'established') {
      faults += told.filter(isFault).length;
      if (faults > MOST_FAULTS || (faults === MOST_FAULTS) !== told.some(({ type }) => type === 'bye')) {
        const isRefused = told.some((one) => one.type === 'error' && one.code === 'out_of_turn') && isClosed;
        if (!isRefused) throw new Error(`${faults} faults: ${JSON.stringify(told)} to ${what()}`);
      }
    }
    const failed = backend.log.lines.filter(({ level }) => level === 'error');
    if (failed.length > 0) throw new Error(`failed inside: ${String(failed[0]?.error)} at ${what()}`);
    if (n % 500 === 0) {
      backend.log.lines.length = 0;
      backend.metrics.counted.length = 0;
      backend.metrics.measured.length = 0;
    }
    if (isClosed || state === 'connected' || state === 'greeted' || told.some(({ type }) => type === 'rekeyed')) {
      faults = 0;
      await restore();
    }
  }
  return outcomes;
}

/** What counts as a frame that could not be read. */
function isFault(frame: ServerFrame): boolean {
  const codes: readonly string[] = ['malformed', 'too_large', 'unknown_frame', 'bad_key', 'out_of_turn'];
  return frame.type === 'error' && codes.includes(frame.code);
}

/** What is wrong about what was told, if anything. */
function complaint(
  state: State,
  told: readonly ServerFrame[] | readonly { readonly type: string }[],
  isClosed: boolean,
) {
  const types = told.map(({ type }) => type);
  switch (state) {
    case 'closed':
      return types.length > 0 || !isClosed ? 'a closed connection is not just closed' : undefined;
    case 'connected':
    case 'greeted': {
      if (types.length === 1 && types[0] === 'error') return isClosed ? undefined : 'refused and left open';
      // The real frame, unharmed.
      const good = state === 'connected' ? 'server_hello' : 'session_established';
      return types.includes(good) ? undefined : 'neither refused nor good';
    }
    case 'established':
      return types.includes('bye') && !isClosed ? 'told bye and left open' : undefined;
  }
}

describe('frames that nobody would send', () => {
  it.each(STATES)(
    'get the right error or bye and reach nobody else, when a connection is %s',
    { timeout: 60_000 + FRAMES * 200 },
    async (state) => {
      const share = Math.ceil(FRAMES / LANES);
      const all = await Promise.all(Array.from({ length: LANES }, (_, at) => fuzz(state, SEED + at, share)));
      expect(rejections).toEqual([]);
      const told = all.reduce<Record<string, number>>((sum, one) => {
        for (const [key, count] of Object.entries(one)) sum[key] = (sum[key] ?? 0) + count;
        return sum;
      }, {});
      if (state === 'established') expect(told['bye too_many_faults']).toBeGreaterThan(0);
      if (state === 'connected') expect(told['error malformed']).toBeGreaterThan(0);
      if (FRAMES > 1_000) console.info(`${share * LANES} frames ${state} (seed ${SEED}): ${JSON.stringify(told)}`);
    },
  );

  it('at once in two containers end a session once, with no more than five errors', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { connection, session, relay, restore } = await lane('established');
      if (session === undefined) throw new Error('no session');
      await restore();
      relay.gateway.posted.length = 0;
      const containers = [relay.invoke, relay.anotherContainer()];
      await Promise.all(Array.from({ length: 12 }, (_, n) => connection.say(session.seal('{'), containers[n % 2])));
      const frames = connection.messages().map(session.open);
      expect(frames.filter(({ type }) => type === 'error').length).toBeLessThanOrEqual(MOST_FAULTS);
      expect(frames.filter(({ type }) => type === 'bye')).toMatchObject([{ code: 'too_many_faults' }]);
      expect(connection.isClosed()).toBe(true);
    }
  });
});
