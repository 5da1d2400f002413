import { randomBytes } from 'node:crypto';
import { LOW_ORDER_KEYS } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealText } from '../../support/relay.ts';
import { type RelayBackend, type RelayPeer, startRelayBackend } from '../../support/relay-backend.ts';
import { createConnection, type EstablishedPeer, established, greeted } from '../../support/relay-sessions.ts';

let relay: RelayBackend;

beforeAll(async () => {
  relay = await startRelayBackend();
});
afterAll(() => relay.stop());

const MINUTE_MS = 60_000;

async function newSession(): Promise<EstablishedPeer & { readonly peer: RelayPeer }> {
  const peer = await relay.newPeer();
  return { ...(await established(relay, peer.identity, peer.token)), peer };
}

const servedOn = (connectionId: string) =>
  relay.served.filter((one) => one.connectionId === connectionId).map(({ frame }) => frame);

async function rekeyed(one: EstablishedPeer): Promise<void> {
  const { frame, finish } = one.session.rekey();
  await one.send(frame);
  const answer = one.frames().at(-1);
  if (answer?.type !== 'rekeyed') throw new Error(`rekey was answered ${JSON.stringify(answer)}`);
  finish(answer.ephemeral_key);
}

describe('a sealed frame', () => {
  it('is passed on as it was sent, whatever it asks for', async () => {
    const { connection, send } = await newSession();
    const event = { event_id: 'e1', type: 'zone.renamed', payload: { name: 'Beete 🌱' }, sent_at: relay.now() };
    const frames = [
      { type: 'publish', id: 1, stream: 'zones', client_seq: 1, events: [event], if_seq: 0 },
      { type: 'subscribe', id: 2, streams: '*' },
      { type: 'subscribe', id: 3, streams: [{ stream: 'zones', epoch: 'e', after: 4 }] },
      { type: 'replay', id: 4, stream: 'zones', epoch: 'e', after: 0, limit: 1000 },
      { type: 'snapshot', id: 5, stream: 'zones' },
      { type: 'ack', stream: 'zones', epoch: 'e', seq: 9 },
      { type: 'ping', id: 6 },
      { type: 'peers', id: 7 },
    ];
    for (const frame of frames) await send(frame);
    expect(servedOn(connection.connectionId)).toEqual(frames);
  });

  it('of another session, direction or generation is not opened', async () => {
    const [one, other] = [await newSession(), await newSession()];
    const id = Buffer.from(one.session.sessionId, 'base64url');
    const keys = one.session.generations[0];
    if (keys === undefined) throw new Error('no keys');
    const text = JSON.stringify({ type: 'ping', id: 1 });
    const wrong = [
      other.session.seal(text),
      JSON.stringify(sealText(keys.s2c, 's2c', id, 0, text, randomBytes(12))),
      JSON.stringify(sealText(keys.c2s, 's2c', id, 0, text, randomBytes(12))),
      JSON.stringify(sealText(keys.c2s, 'c2s', id, 1, text, randomBytes(12))),
    ];
    for (const message of wrong) {
      await one.connection.say(message);
      expect(one.frames().at(-1)).toMatchObject({ type: 'error', code: 'malformed' });
    }
    expect(servedOn(one.connection.connectionId)).toEqual([]);
  });

  it('that can’t be read is told by its id, and nothing of it is passed on', async () => {
    const { frames, send, connection } = await newSession();
    await send({ type: 'publish', id: 42, stream: 'Zones', client_seq: 1, events: [] });
    expect(frames().at(-1)).toMatchObject({ type: 'error', code: 'malformed', id: 42 });
    await send({ type: 'sing', id: 43 });
    expect(frames().at(-1)).toMatchObject({ type: 'error', code: 'unknown_frame', id: 43 });
    await send('{"type":"ping","id":"\\ud800"}');
    expect(frames().at(-1)).toMatchObject({ type: 'error', code: 'malformed' });
    expect(servedOn(connection.connectionId)).toEqual([]);
  });

  it('that fails inside is answered unavailable, and the session goes on', async () => {
    const { connection, session, frames, send } = await newSession();
    const broken = relay.anotherContainer({ serve: () => Promise.reject(new Error('secret detail')) });
    await connection.say(session.seal({ type: 'ping', id: 5 }), broken);
    expect(frames().at(-1)).toMatchObject({ type: 'error', code: 'unavailable', id: 5, retry_after: 2 });
    expect(JSON.stringify(frames())).not.toContain('secret detail');
    await send({ type: 'ping', id: 6 });
    expect(servedOn(connection.connectionId)).toEqual([{ type: 'ping', id: 6 }]);
  });

  it('is lost, but not its session, while the database can’t be reached', async () => {
    const { connection, send } = await newSession();
    relay.backend.relayDynamo.dieAfterWrites(0);
    await send({ type: 'ping', id: 1 });
    relay.backend.relayDynamo.revive();
    expect(connection.isClosed()).toBe(false);
    await send({ type: 'ping', id: 2 });
    expect(servedOn(connection.connectionId)).toEqual([{ type: 'ping', id: 2 }]);
  });
});

describe('five frames that can’t be read', () => {
  it('end the session, whoever counts them', async () => {
    const { connection, frames, peer } = await newSession();
    const other = relay.anotherContainer();
    for (const [index, by] of [undefined, other, undefined, other].entries()) {
      await connection.say(`nonsense ${index}`, by);
    }
    expect(connection.isClosed()).toBe(false);
    await connection.say({ g: 0, n: 'AAAAAAAAAAAAAAAA', c: 'A'.repeat(40) });
    expect(frames().slice(1)).toEqual([
      ...Array.from({ length: 5 }, () => expect.objectContaining({ type: 'error', code: 'malformed' })),
      expect.objectContaining({ type: 'bye', code: 'too_many_faults' }),
    ]);
    expect(connection.isClosed()).toBe(true);
    expect(await relay.itemsOf(peer.identity.peerId, 'online#')).toEqual([]);
    expect(relay.backend.metrics.counted).toContain('RelayFaults{code=malformed}');
  });

  it('end it once, however many are handled at the same time', async () => {
    const { connection, frames } = await newSession();
    const containers = [relay.anotherContainer(), relay.anotherContainer(), relay.anotherContainer()];
    await Promise.all(
      Array.from({ length: 12 }, (_, index) => connection.say('nonsense', containers[index % containers.length])),
    );
    expect(frames().filter(({ type }) => type === 'bye')).toHaveLength(1);
    expect(connection.isClosed()).toBe(true);
  });
});

describe('rekeying', () => {
  it('begins a generation whose keys are good at once, the ones before for a minute', async () => {
    const one = await newSession();
    await rekeyed(one);
    await one.send({ type: 'ping', id: 1 });
    await one.connection.say(one.session.seal({ type: 'ping', id: 2 }, 0));
    expect(servedOn(one.connection.connectionId).map((frame) => 'id' in frame && frame.id)).toEqual([1, 2]);
    relay.backend.clock.forward(MINUTE_MS);
    await one.connection.say(one.session.seal({ type: 'ping', id: 3 }, 0));
    expect(one.frames().at(-1)).toMatchObject({ type: 'error', code: 'malformed' });
    await one.send({ type: 'ping', id: 4 });
    expect(servedOn(one.connection.connectionId).map((frame) => 'id' in frame && frame.id)).toEqual([1, 2, 4]);
  });

  it('can be done again and again; older keys than the previous ones are not good', async () => {
    const one = await newSession();
    for (let generation = 1; generation <= 3; generation += 1) await rekeyed(one);
    await one.send({ type: 'ping', id: 1 });
    await one.connection.say(one.session.seal({ type: 'ping', id: 2 }, 2));
    await one.connection.say(one.session.seal({ type: 'ping', id: 3 }, 1));
    expect(servedOn(one.connection.connectionId)).toHaveLength(2);
    const [online] = await relay.itemsOf(one.peer.identity.peerId, 'online#');
    expect(online).toMatchObject({ generation: 3 });
  });

  it('is done once when two containers are asked at once', async () => {
    const one = await newSession();
    const [first, second] = [one.session.rekey(), one.session.rekey()];
    await Promise.all([
      one.connection.say(one.session.seal(first.frame)),
      one.connection.say(one.session.seal(second.frame), relay.anotherContainer()),
    ]);
    const raw = one.connection.messages().slice(2);
    const answers = raw.filter((message) => JSON.parse(message).g === 0).map(one.session.open);
    expect(answers.filter(({ type }) => type === 'rekeyed')).toHaveLength(1);
    expect(one.connection.isClosed()).toBe(false);
    const [online] = await relay.itemsOf(one.peer.identity.peerId, 'online#');
    expect(online).toMatchObject({ generation: 1 });
  });

  it('with the keys before is out of turn', async () => {
    const one = await newSession();
    await rekeyed(one);
    await one.connection.say(one.session.seal(one.session.rekey().frame, 0));
    expect(one.frames().at(-1)).toMatchObject({ type: 'error', code: 'out_of_turn' });
  });

  it.each(LOW_ORDER_KEYS)('with the low-order key %s is refused, and the keys stay', async (key) => {
    const { send, frames, connection } = await newSession();
    await send({ type: 'rekey', ephemeral_key: key });
    expect(frames().at(-1)).toMatchObject({ type: 'error', code: 'bad_key' });
    await send({ type: 'ping', id: 1 });
    expect(servedOn(connection.connectionId)).toHaveLength(1);
  });

  it('that is ignored for ten minutes after it is due ends the session', async () => {
    const [patient, done] = [await newSession(), await newSession()];
    relay.backend.clock.forward(69 * MINUTE_MS);
    await patient.send({ type: 'ping', id: 1 });
    await rekeyed(done);
    relay.backend.clock.forward(2 * MINUTE_MS);
    await patient.send({ type: 'ping', id: 2 });
    expect(patient.frames().at(-1)).toMatchObject({ type: 'bye', code: 'rekey_overdue' });
    expect(patient.connection.isClosed()).toBe(true);
    expect(servedOn(patient.connection.connectionId)).toHaveLength(1);
    await done.send({ type: 'ping', id: 3 });
    expect(servedOn(done.connection.connectionId)).toHaveLength(1);
    relay.backend.clock.forward(50 * MINUTE_MS);
    await done.send({ type: 'ping', id: 4 });
    expect(done.frames().at(-1)).toMatchObject({ type: 'bye', code: 'expired' });
  });
});

describe('a peer', () => {
  it('has one connection: the newer one wins, and the older one is told', async () => {
    const older = await newSession();
    const newer = await established(relay, older.peer.identity, older.peer.token);
    expect(older.frames().at(-1)).toMatchObject({ type: 'bye', code: 'replaced' });
    expect(older.connection.isClosed()).toBe(true);
    await newer.send({ type: 'ping', id: 1 });
    expect(servedOn(newer.connection.connectionId)).toHaveLength(1);
  });

  it('whose older connection could not be told is told there with its next frame', async () => {
    const older = await newSession();
    const { connection, auth } = await greeted(relay, older.peer.identity, older.peer.token);
    // The third write ends the older connection; the function is killed before.
    const dynamo = relay.backend.relayDynamo;
    dynamo.dieAfterWrites(1);
    await connection.say(auth);
    dynamo.revive();
    await older.send({ type: 'ping', id: 1 });
    expect(servedOn(older.connection.connectionId)).toEqual([]);
    expect(older.connection.isClosed()).toBe(true);
  });

  it('that was revoked is told with its next frame, though nobody has closed its connection', async () => {
    const { peer, send, frames, connection } = await newSession();
    await relay.revoke(peer);
    await send({ type: 'replay', id: 1, stream: 'zones', epoch: 'e', after: 0 });
    expect(frames().at(-1)).toMatchObject({ type: 'bye', code: 'revoked' });
    expect(connection.isClosed()).toBe(true);
    expect(servedOn(connection.connectionId)).toEqual([]);
  });

  it('hears nothing of another peer’s frames', async () => {
    const [one, other] = [await newSession(), await newSession()];
    const before = other.connection.messages().length;
    await one.send({ type: 'sing' });
    await one.connection.say('nonsense');
    expect(other.connection.messages()).toHaveLength(before);
  });
});

describe('what is stored and logged', () => {
  it('holds no key of a session in plain, before or after rekeying, nor a token', async () => {
    const started = await relay.newPeer();
    const half = await greeted(relay, started.identity, started.token);
    const one = await newSession();
    await rekeyed(one);
    const stored = JSON.stringify(await relay.backend.scan('relay'), (_name, value: unknown) =>
      value instanceof Uint8Array || isBufferJson(value) ? Buffer.from(bytesOf(value)).toString('hex') : value,
    );
    const logged = JSON.stringify(relay.backend.log.lines);
    const generations = [...half.session.generations, ...one.session.generations];
    expect(generations).toHaveLength(3);
    // To be sure that the search would find something: the transcript's hash is no secret and is stored.
    expect(stored).toContain(generations[0]?.th.toString('hex'));
    for (const { c2s, s2c, confirm, rekey } of generations) {
      for (const key of [c2s, s2c, confirm, rekey]) {
        for (const form of ['hex', 'base64', 'base64url'] as const) {
          expect(stored).not.toContain(key.toString(form));
          expect(logged).not.toContain(key.toString(form));
        }
      }
    }
    expect(stored + logged).not.toContain(one.peer.token);
  });

  it('forgets the keys when a session ends', async () => {
    const one = await newSession();
    await rekeyed(one);
    relay.backend.clock.forward(120 * MINUTE_MS);
    await one.send({ type: 'ping', id: 1 });
    const [item] = await relay.itemsOf(one.connection.connectionId);
    expect(item).toMatchObject({ state: 'closed' });
    for (const name of ['keys', 'previous_keys', 'th']) expect(item).not.toHaveProperty(name);
  });
});

describe('a gateway that does not deliver', () => {
  it('makes nothing fail', async () => {
    const one = await newSession();
    relay.gateway.answer('gone');
    expect((await one.connection.say('nonsense')).statusCode).toBe(200);
    relay.gateway.answer('failed');
    expect((await one.connection.say('nonsense')).statusCode).toBe(200);
    relay.gateway.answer('posted');
    const unknown = createConnection(relay);
    expect((await unknown.say(one.session.seal({ type: 'ping', id: 1 }))).statusCode).toBe(200);
  });
});

function isBufferJson(value: unknown): value is { readonly type: 'Buffer'; readonly data: readonly number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}

function bytesOf(value: Uint8Array | { readonly data: readonly number[] }): Uint8Array {
  return value instanceof Uint8Array ? value : Uint8Array.from(value.data);
}
