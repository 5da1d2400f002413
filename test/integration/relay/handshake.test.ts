import { createPublicKey, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { type ClientAuth, type ClientHello, LOW_ORDER_KEYS } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONNECTION_STATES, type ConnectionState, HANDSHAKE } from '../../../src/relay/session/handshake-table.ts';
import { mintToken } from '../../../tools/run/local-stack/cognito/mint-token.ts';
import { startHandshake } from '../../support/relay.ts';
import { type RelayBackend, type RelayPeer, startRelayBackend } from '../../support/relay-backend.ts';
import {
  createConnection,
  established,
  type Greeted,
  greeted,
  type TestConnection,
} from '../../support/relay-sessions.ts';

let relay: RelayBackend;

beforeAll(async () => {
  relay = await startRelayBackend();
});
afterAll(() => relay.stop());

const base64url = (length: number) => randomBytes(length).toString('base64url');
const someHello = (): ClientHello => startHandshake({ ...someIdentity, peerId: randomUUID() }, relay.now()).hello;
const someAuth: ClientAuth = {
  type: 'client_auth',
  ...{ session_id: base64url(16), signature: base64url(64), mac: base64url(32) },
};
const someSealed = { g: 0, n: base64url(12), c: base64url(40) };
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const someIdentity = { peerId: '', privateKey, publicKey: String(publicKey.export({ format: 'jwk' }).x) };

/** A connection of a new peer that was accepted. */
async function connected(peer?: RelayPeer): Promise<{ readonly peer: RelayPeer; readonly connection: TestConnection }> {
  const who = peer ?? (await relay.newPeer());
  const connection = createConnection(relay);
  expect((await connection.connect(who.token)).statusCode).toBe(200);
  return { peer: who, connection };
}

const greetedPeer = async (): Promise<Greeted & { readonly peer: RelayPeer }> => {
  const peer = await relay.newPeer();
  return { ...(await greeted(relay, peer.identity, peer.token)), peer };
};

const refused = (connection: TestConnection, code: string) => {
  expect(connection.lastPlain()).toMatchObject({ type: 'error', code });
  expect(connection.isClosed()).toBe(true);
};

describe('a handshake', () => {
  it('establishes a session, whose frames are passed on', async () => {
    const { identity, token, uid } = await relay.newPeer();
    const { welcome, connection, send } = await established(relay, identity, token);
    expect(welcome).toMatchObject({
      peer_id: identity.peerId,
      heartbeat_seconds: 240,
      rekey_after_seconds: 3600,
      max_frame_bytes: 32_768,
      streams: [],
      peers: [],
    });
    expect(welcome.expires_at - relay.now()).toBeGreaterThan(7_190_000);
    await send({ type: 'ping', id: 7 });
    const { connectionId } = connection;
    expect(relay.served.at(-1)).toEqual({ uid, connectionId, frame: { type: 'ping', id: 7 } });
    expect(relay.backend.metrics.counted).toContain('RelayHandshakes{outcome=established}');
    expect(relay.announced.at(-1)).toEqual({ peerId: identity.peerId, online: true });
  });

  it("works with the user's own token as well", async () => {
    const { identity, uid } = await relay.newPeer();
    const { welcome } = await established(relay, identity, mintToken({ sub: uid }));
    expect(welcome.peer_id).toBe(identity.peerId);
  });
});

describe('the state table', () => {
  type Prepared = {
    readonly connection: TestConnection;
    readonly seal?: (frame: object) => string;
    readonly auth?: ClientAuth;
  };
  const reach: Readonly<Record<ConnectionState, () => Promise<Prepared>>> = {
    connected: () => connected(),
    greeted: () => greetedPeer(),
    async established() {
      const { identity, token } = await relay.newPeer();
      const { connection, session } = await established(relay, identity, token);
      return { connection, seal: (frame) => session.seal({ ...frame }) };
    },
    async closed() {
      const { connection } = await connected();
      await connection.say('nonsense');
      relay.gateway.reopen(connection.connectionId);
      return { connection };
    },
  };

  const { client_nonce: _nonce, ...withoutNonce } = { client_nonce: '', ...{ type: 'client_hello', version: 1 } };
  const deep = `${'['.repeat(40)}${']'.repeat(40)}`;
  /** Every kind of message, several of some. */
  const messages: Readonly<Record<keyof typeof HANDSHAKE.closed, readonly (() => object | string)[]>> = {
    client_hello: [() => someHello()],
    client_auth: [() => someAuth],
    sealed: [() => someSealed],
    malformed: [
      () => withoutNonce,
      () => ({ ...someHello(), client_nonce: base64url(31) }),
      () => ({ ...someHello(), more: 1 }),
      () => ({ ...someAuth, mac: base64url(33) }),
      () => ({ ...someSealed, n: base64url(11) }),
      () => ({ ...someSealed, g: -1 }),
    ],
    unknown: [() => ({}), () => ({ type: 'server_hello' }), () => ({ type: 'ping', id: 1 }), () => ({ type: 7 })],
    unreadable: [
      () => '',
      () => 'x',
      () => '[]',
      () => 'null',
      () => '{"type":"\ud800"}',
      () => `{"type":"ping","id":${deep}}`,
    ],
    too_large: [() => JSON.stringify({ type: 'ping', id: 1, more: 'x'.repeat(33_000) })],
  };
  const OUT_OF_TURN = ['error', 'out_of_turn', 'closed'] as const;
  const MALFORMED = ['error', 'malformed', 'closed'] as const;
  const TOO_LARGE = ['error', 'too_large', 'closed'] as const;
  const SILENT = [undefined, undefined, 'closed'] as const;
  /** What is said, its code, and whether the connection is over. */
  const expected: Readonly<
    Record<
      ConnectionState,
      Readonly<Record<keyof typeof messages, readonly [string | undefined, string | undefined, 'closed'?]>>
    >
  > = {
    connected: {
      // The hello is somebody else's: nobody would know that it was in turn otherwise.
      client_hello: ['error', 'unknown_peer', 'closed'],
      client_auth: OUT_OF_TURN,
      sealed: OUT_OF_TURN,
      malformed: MALFORMED,
      unknown: OUT_OF_TURN,
      unreadable: MALFORMED,
      too_large: TOO_LARGE,
    },
    greeted: {
      client_hello: OUT_OF_TURN,
      client_auth: ['error', 'bad_signature', 'closed'],
      sealed: OUT_OF_TURN,
      malformed: MALFORMED,
      unknown: OUT_OF_TURN,
      unreadable: MALFORMED,
      too_large: TOO_LARGE,
    },
    established: {
      client_hello: OUT_OF_TURN,
      client_auth: OUT_OF_TURN,
      sealed: ['error', 'malformed'],
      malformed: ['error', 'malformed'],
      unknown: ['error', 'unknown_frame'],
      unreadable: ['error', 'malformed'],
      too_large: ['error', 'too_large'],
    },
    closed: {
      client_hello: SILENT,
      client_auth: SILENT,
      sealed: SILENT,
      malformed: SILENT,
      unknown: SILENT,
      unreadable: SILENT,
      too_large: SILENT,
    },
  };
  const cells = CONNECTION_STATES.flatMap((state) =>
    Object.entries(messages).flatMap(([kind, variants]) =>
      variants.map((make, index) => ({
        state,
        kind: kind as keyof typeof messages,
        make,
        name: `${kind} ${index + 1}`,
      })),
    ),
  );

  it('has a row for every state and a column for every kind of message', () => {
    expect(Object.keys(HANDSHAKE)).toEqual([...CONNECTION_STATES]);
    for (const row of Object.values(HANDSHAKE)) expect(Object.keys(row).sort()).toEqual(Object.keys(messages).sort());
  });

  it.each(cells)('$state, $name', async ({ state, kind, make }) => {
    const { connection } = await reach[state]();
    const before = connection.messages().length;
    const servedBefore = relay.served.length;
    expect(await connection.say(make())).toEqual({ statusCode: 200 });
    const [type, code, end] = expected[state][kind];
    const said = connection.messages().slice(before);
    expect(said).toHaveLength(type === undefined ? 0 : 1);
    const isSealed = state === 'established';
    if (!isSealed && type !== undefined) expect(JSON.parse(said[0] ?? '')).toMatchObject({ type, code });
    if (isSealed) expect(Object.keys(JSON.parse(said[0] ?? '')).sort()).toEqual(['c', 'g', 'n']);
    expect(connection.isClosed()).toBe(end === 'closed');
    expect(relay.served).toHaveLength(servedBefore);
  });

  it.each(Object.keys(messages).filter((kind) => kind !== 'sealed'))(
    'established: %s is answered under the session’s keys',
    async (kind) => {
      const { identity, token } = await relay.newPeer();
      const { connection, frames } = await established(relay, identity, token);
      const make = messages[kind as keyof typeof messages][0];
      await connection.say(make?.() ?? '');
      expect(frames().at(-1)).toMatchObject({
        type: 'error',
        code: expected.established[kind as keyof typeof messages][1],
      });
    },
  );

  it('lets nothing pass on a connection that is not known', async () => {
    const connection = createConnection(relay);
    await connection.say(someHello());
    expect(connection.messages()).toEqual([]);
    expect(connection.isClosed()).toBe(true);
  });
});

describe('a client_hello is refused', () => {
  const hello = async (change: (hello: ClientHello) => object, peer?: RelayPeer) => {
    const made = await connected(peer);
    const { hello } = startHandshake(made.peer.identity, relay.now());
    await made.connection.say(change(hello));
    return made.connection;
  };

  it.each([-300_500, 300_500])('with a clock that is %i ms away; our time is told', async (off) => {
    const connection = await hello((one) => ({ ...one, time: one.time + off }));
    refused(connection, 'clock_skew');
    expect(Math.abs(connection.lastPlain().time - relay.now())).toBeLessThan(5_000);
  });

  it('only then', async () => {
    for (const off of [-295_000, 295_000]) {
      expect((await hello((one) => ({ ...one, time: one.time + off }))).lastPlain().type).toBe('server_hello');
    }
  });

  it.each(LOW_ORDER_KEYS)('with the low-order key %s', async (key) => {
    refused(await hello((one) => ({ ...one, ephemeral_key: key })), 'bad_key');
    const highest = Buffer.from(key, 'base64url').map((byte, index) => (index === 31 ? byte | 0x80 : byte));
    const other = Buffer.from(highest).toString('base64url');
    refused(await hello((one) => ({ ...one, ephemeral_key: other })), 'bad_key');
  });

  it.each([
    ['client_nonce', 32],
    ['ephemeral_key', 32],
  ])('with a %s of another length than %i bytes, or in another spelling', async (field, length) => {
    const good = base64url(length);
    for (const bad of [0, 1, length - 1, length + 1, 64]
      .map(base64url)
      .concat(`${good}=`, good.replace(/.$/, '!'), `${good.slice(0, -1)}B`)) {
      refused(await hello((one) => ({ ...one, [field]: bad })), 'malformed');
    }
  });

  it('in another version or without our cipher suite', async () => {
    refused(await hello((one) => ({ ...one, version: 2 })), 'unsupported');
    refused(await hello((one) => ({ ...one, cipher_suites: ['A128GCM'] })), 'unsupported');
    const several = await hello((one) => ({ ...one, cipher_suites: ['C20P', 'A256GCM'] }));
    expect(several.lastPlain().type).toBe('server_hello');
  });

  it('with a nonce that this peer has used before, on whichever connection', async () => {
    const peer = await relay.newPeer();
    const nonce = randomBytes(32).toString('base64url');
    const first = await hello((one) => ({ ...one, client_nonce: nonce }), peer);
    expect(first.lastPlain().type).toBe('server_hello');
    refused(await hello((one) => ({ ...one, client_nonce: nonce }), peer), 'nonce_reused');
    expect((await hello((one) => ({ ...one, client_nonce: nonce }))).lastPlain().type).toBe('server_hello');
  });

  it("of a peer that is not known, another account's, another than the token's, or revoked: all the same", async () => {
    const [peer, other, gone] = [await relay.newPeer(), await relay.newPeer(), await relay.newPeer()];
    const sibling = await relay.newPeer(peer.uid);
    const answers: unknown[] = [];
    const attempt = async (token: string, peerId: string) => {
      const connection = createConnection(relay);
      await connection.connect(token);
      await connection.say({ ...startHandshake(peer.identity, relay.now()).hello, peer_id: peerId });
      refused(connection, 'unknown_peer');
      answers.push(connection.lastPlain());
    };
    await attempt(mintToken({ sub: peer.uid }), randomUUID());
    await attempt(mintToken({ sub: peer.uid }), other.identity.peerId);
    await attempt(peer.token, sibling.identity.peerId);
    await relay.revoke(gone);
    await attempt(mintToken({ sub: gone.uid }), gone.identity.peerId);
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  });

  it('of a peer that was revoked, or whose account was deleted, since the connection was accepted', async () => {
    const made = await connected();
    await relay.revoke(made.peer);
    await made.connection.say(startHandshake(made.peer.identity, relay.now()).hello);
    refused(made.connection, 'unknown_peer');
    const orphan = await connected();
    // Dies behind the tombstone: the deletion has not come to the relay yet.
    relay.backend.dynamo.dieAfterWrites(2);
    await expect(relay.deleteAccount(orphan.peer.uid)).rejects.toThrow();
    relay.backend.dynamo.revive();
    await orphan.connection.say(startHandshake(orphan.peer.identity, relay.now()).hello);
    refused(orphan.connection, 'unknown_peer');
  });

  it('when it is the second one', async () => {
    const { connection, peer } = await greetedPeer();
    await connection.say(startHandshake(peer.identity, relay.now()).hello);
    refused(connection, 'out_of_turn');
  });
});

describe('a client_auth is refused', () => {
  it.each([
    ['session_id', 16],
    ['signature', 64],
    ['mac', 32],
  ])('with a %s of another length than %i bytes', async (field, length) => {
    for (const bad of [0, length - 1, length + 1]) {
      const { connection, auth } = await greetedPeer();
      await connection.say({ ...auth, [field]: base64url(bad) });
      refused(connection, 'malformed');
    }
  });

  it.each(['session_id', 'signature', 'mac'] as const)('with one wrong bit in its %s', async (field) => {
    const { connection, auth } = await greetedPeer();
    const wrong = Buffer.from(auth[field], 'base64url');
    wrong[3] = (wrong[3] ?? 0) ^ 4;
    await connection.say({ ...auth, [field]: wrong.toString('base64url') });
    refused(connection, 'bad_signature');
  });

  it("of another connection's handshake", async () => {
    const peer = await relay.newPeer();
    const [one, other] = [
      await greeted(relay, peer.identity, peer.token),
      await greeted(relay, peer.identity, peer.token),
    ];
    await one.connection.say(other.auth);
    refused(one.connection, 'bad_signature');
  });

  it('by somebody who has the token but not the key', async () => {
    const peer = await relay.newPeer();
    const thief = { ...peer.identity, privateKey: generateKeyPairSync('ed25519').privateKey };
    const { connection, auth } = await greeted(relay, thief, peer.token);
    await connection.say(auth);
    refused(connection, 'bad_signature');
    expect(String(createPublicKey(thief.privateKey).export({ format: 'jwk' }).x)).not.toBe(peer.identity.publicKey);
  });

  it('more than ten seconds after the hello', async () => {
    const [late, inTime] = [await greetedPeer(), await greetedPeer()];
    await inTime.connection.say(inTime.auth);
    relay.backend.clock.forward(10_500);
    await late.connection.say(late.auth);
    refused(late.connection, 'handshake_timeout');
    expect(inTime.connection.isClosed()).toBe(false);
  });

  it('of a peer that was revoked since the hello', async () => {
    const { connection, auth, peer } = await greetedPeer();
    await relay.revoke(peer);
    await connection.say(auth);
    refused(connection, 'unknown_peer');
    expect(await relay.itemsOf(peer.identity.peerId, 'online#')).toEqual([]);
  });

  it('of a peer that is revoked while it is checked', async () => {
    const { connection, auth, peer } = await greetedPeer();
    const { read } = relay.needs.peers;
    const container = relay.anotherContainer({
      peers: {
        async read(uid, peerId) {
          const found = await read(uid, peerId);
          await relay.revoke(peer);
          return found;
        },
      },
    });
    await connection.say(auth, container);
    refused(connection, 'unknown_peer');
    expect(await relay.itemsOf(peer.identity.peerId, 'online#')).toEqual([]);
  });
});

describe('two containers at once', () => {
  it('answer the same client_hello once', async () => {
    const { connection, peer } = await connected();
    const { hello } = startHandshake(peer.identity, relay.now());
    const other = relay.anotherContainer();
    await Promise.all([connection.say(hello), connection.say(hello, other)]);
    const said = connection.messages().map((message) => JSON.parse(message).type);
    expect(said.filter((type) => type === 'server_hello').length).toBeLessThanOrEqual(1);
    expect(said).toContain('error');
    expect(connection.isClosed()).toBe(true);
  });

  it('begin one handshake of two, and end the connection', async () => {
    const { connection, peer } = await connected();
    const hellos = [1, 2].map(() => startHandshake(peer.identity, relay.now()).hello);
    const other = relay.anotherContainer();
    await Promise.all([connection.say(hellos[0] ?? ''), connection.say(hellos[1] ?? '', other)]);
    const said = connection.messages().map((message) => JSON.parse(message));
    expect(said.filter(({ type }) => type === 'server_hello').length).toBeLessThanOrEqual(1);
    expect(said.find(({ type }) => type === 'error')).toMatchObject({ code: 'out_of_turn' });
    expect(connection.isClosed()).toBe(true);
  });

  it('establish one session from the same client_auth, and end the connection', async () => {
    const { connection, auth, peer } = await greetedPeer();
    const other = relay.anotherContainer();
    await Promise.all([connection.say(auth), connection.say(auth, other)]);
    expect(connection.isClosed()).toBe(true);
    expect(await relay.itemsOf(peer.identity.peerId, 'online#')).toEqual([]);
  });

  it('leave a peer that authenticates twice at once with one connection', async () => {
    const peer = await relay.newPeer();
    const [one, two] = [
      await greeted(relay, peer.identity, peer.token),
      await greeted(relay, peer.identity, peer.token),
    ];
    const other = relay.anotherContainer();
    await Promise.all([one.connection.say(one.auth), two.connection.say(two.auth, other)]);
    const ended = [one, two].filter(({ connection }) => connection.isClosed());
    expect(ended).toHaveLength(1);
    const [lost] = ended;
    const survivor = lost === one ? two : one;
    // In plain text if it came too late to have had a session.
    const frames = (lost?.connection.messages().slice(1) ?? []).map((message) =>
      message.includes('"bye"') ? JSON.parse(message) : lost?.session.open(message),
    );
    expect(frames).toContainEqual(expect.objectContaining({ type: 'bye', code: 'replaced' }));
    const [online] = await relay.itemsOf(peer.identity.peerId, 'online#');
    expect(online).toMatchObject({ connection_id: survivor.connection.connectionId });
  });
});

describe('when the database fails during a handshake', () => {
  it.each([0, 1, 2, 3])(
    'after %i more writes, the peer is told or closed, and comes in with its next attempt',
    async (writes) => {
      const { connection, auth, peer } = await greetedPeer();
      const dynamo = relay.backend.relayDynamo;
      dynamo.dieAfterWrites(writes);
      expect((await connection.say(auth)).statusCode).toBe(200);
      dynamo.revive();
      const { welcome } = await established(relay, peer.identity, peer.token);
      expect(welcome.peer_id).toBe(peer.identity.peerId);
      const [online, ...others] = await relay.itemsOf(peer.identity.peerId, 'online#');
      expect(online).not.toMatchObject({ connection_id: connection.connectionId });
      expect(others).toEqual([]);
    },
  );

  it('says so, and closes', async () => {
    const { connection, peer } = await connected();
    relay.backend.relayDynamo.dieAfterWrites(0);
    await connection.say(startHandshake(peer.identity, relay.now()).hello);
    relay.backend.relayDynamo.revive();
    refused(connection, 'unavailable');
    expect(connection.lastPlain().retry_after).toBeGreaterThan(0);
  });
});
