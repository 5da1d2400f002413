import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintToken, type TokenClaims } from '../../../tools/run/local-stack/cognito/mint-token.ts';
import { startHandshake } from '../../support/relay.ts';
import { type RelayBackend, startRelayBackend } from '../../support/relay-backend.ts';
import { connectEvent, newConnectionId } from '../../support/relay-gateway.ts';
import { createConnection, established, greeted } from '../../support/relay-sessions.ts';

let relay: RelayBackend;

beforeAll(async () => {
  relay = await startRelayBackend();
});
afterAll(() => relay.stop());

const V1 = 'autowatering.relay.v1';
const offer = (...subprotocols: readonly string[]) => relay.invoke(connectEvent(newConnectionId(), subprotocols));
const idToken = (uid: string, more: TokenClaims = {}) => mintToken({ email: `${uid}@example.com`, sub: uid, ...more });

describe('$connect', () => {
  it("accepts a peer's access token, and answers with the version's subprotocol only", async () => {
    const { token } = await relay.newPeer();
    const answer = await offer(V1, `bearer.${token}`);
    expect(answer).toEqual({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': V1 } });
    expect((await offer(`bearer.${token}`, 'something.else', V1)).headers).toEqual({ 'Sec-WebSocket-Protocol': V1 });
  });

  it("accepts a user's id token, but no access token of Cognito's", async () => {
    const uid = randomUUID();
    expect((await offer(V1, `bearer.${idToken(uid)}`)).statusCode).toBe(200);
    expect((await offer(V1, `bearer.${idToken(uid, { use: 'access' })}`)).statusCode).toBe(401);
  });

  it('reads the header in any case, and as several', async () => {
    const { token } = await relay.newPeer();
    const event = connectEvent(newConnectionId(), []);
    const lower = { ...event, headers: { 'sec-websocket-protocol': `${V1},bearer.${token}` } };
    expect((await relay.invoke(lower)).statusCode).toBe(200);
    const several = {
      ...event,
      headers: null,
      multiValueHeaders: { 'SEC-WEBSOCKET-PROTOCOL': [V1, `bearer.${token}`] },
    };
    expect((await relay.invoke(several)).statusCode).toBe(200);
  });

  it('refuses who brings no token, two, or one that is not good', async () => {
    const { token } = await relay.newPeer();
    const tampered = `${token.slice(0, -4)}AAAA`;
    expect((await offer(V1)).statusCode).toBe(401);
    expect((await offer(V1, `bearer.${token}`, `bearer.${token}`)).statusCode).toBe(401);
    for (const bad of ['', 'x', 'a.b.c', tampered, idToken(randomUUID(), { expiresAt: 1 })]) {
      expect((await offer(V1, `bearer.${bad}`)).statusCode).toBe(401);
    }
    expect((await offer(`bearer.${token}`)).statusCode).toBe(400);
    expect((await relay.invoke({ requestContext: connectEvent('x', []).requestContext })).statusCode).toBe(400);
  });

  it('refuses a peer that was revoked, and an account that was deleted', async () => {
    const peer = await relay.newPeer();
    await relay.revoke(peer);
    expect((await offer(V1, `bearer.${peer.token}`)).statusCode).toBe(403);
    const uid = randomUUID();
    await relay.deleteAccount(uid);
    expect((await offer(V1, `bearer.${idToken(uid)}`)).statusCode).toBe(403);
  });

  it('lets an account connect five times a second; others are not concerned', async () => {
    const [{ token, uid }, other] = [await relay.newPeer(), await relay.newPeer()];
    const second = () => Math.floor(relay.backend.clock.now() / 1000);
    const first = second();
    const attempts = await Promise.all(Array.from({ length: 12 }, () => offer(V1, `bearer.${token}`)));
    const accepted = attempts.filter(({ statusCode }) => statusCode === 200).length;
    // Twelve at once may fall into several seconds.
    expect(accepted).toBeGreaterThanOrEqual(5);
    expect(accepted).toBeLessThanOrEqual(5 * (second() - first + 1));
    expect(attempts.filter(({ statusCode }) => statusCode === 429)).toHaveLength(12 - accepted);
    expect((await offer(V1, `bearer.${other.token}`)).statusCode).toBe(200);
    relay.backend.clock.forward(1_000);
    expect((await offer(V1, `bearer.${idToken(uid)}`)).statusCode).toBe(200);
  });

  it('refuses when it can’t be decided, and counts what it did', async () => {
    const { token } = await relay.newPeer();
    relay.backend.relayDynamo.dieAfterWrites(0);
    const answer = await offer(V1, `bearer.${token}`);
    relay.backend.relayDynamo.revive();
    expect(answer).toEqual({ statusCode: 503 });
    const { counted } = relay.backend.metrics;
    expect(counted).toContain('RelayConnections{change=connect}');
    expect(counted).toContain('RelayConnections{change=refused}');
    expect(JSON.stringify(relay.backend.log.lines)).not.toContain(token);
  });
});

describe('$disconnect', () => {
  it('forgets the connection and tells the others', async () => {
    const { identity, token } = await relay.newPeer();
    const { connection } = await established(relay, identity, token);
    expect((await connection.disconnect()).statusCode).toBe(200);
    expect(relay.announced.filter(({ peerId }) => peerId === identity.peerId)).toEqual([
      { peerId: identity.peerId, online: true },
      { peerId: identity.peerId, online: false },
    ]);
    expect(await relay.itemsOf(connection.connectionId)).toEqual([]);
    expect(await relay.itemsOf(identity.peerId, 'online#')).toEqual([]);
  });

  it('can come twice, and for a connection that is not known', async () => {
    const { identity, token } = await relay.newPeer();
    const { connection } = await established(relay, identity, token);
    await connection.disconnect();
    expect((await connection.disconnect()).statusCode).toBe(200);
    expect((await createConnection(relay).disconnect()).statusCode).toBe(200);
  });

  it("of an older connection leaves the peer's newer one alone", async () => {
    const { identity, token } = await relay.newPeer();
    const older = await established(relay, identity, token);
    const newer = await established(relay, identity, token);
    await older.connection.disconnect();
    const [online] = await relay.itemsOf(identity.peerId, 'online#');
    expect(online).toMatchObject({ connection_id: newer.connection.connectionId });
    expect(relay.announced).not.toContainEqual({ peerId: identity.peerId, online: false });
  });
});

describe('the deletion of an account', () => {
  const leftOf = async (...texts: readonly string[]) =>
    (await relay.backend.scan('relay')).filter((item) => texts.some((text) => JSON.stringify(item).includes(text)));

  it('leaves nothing of its connections, wherever they were, and reads nothing more from them', async () => {
    const { uid, identity, token } = await relay.newPeer();
    const stays = await relay.newPeer();
    const other = await established(relay, stays.identity, stays.token);
    const silent = createConnection(relay);
    await silent.connect(idToken(uid));
    const half = await greeted(relay, identity, token);
    // The gateway has ended it, and its `$disconnect` was lost.
    const lost = await established(relay, identity, token);
    const last = await established(relay, identity, token);
    await relay.deleteAccount(uid);
    const connections = [silent, half.connection, lost.connection, last.connection];
    const texts = [uid, identity.peerId, ...connections.map(({ connectionId }) => connectionId)];
    expect(await leftOf(...texts)).toEqual([]);

    const servedBefore = relay.served.length;
    await silent.say(startHandshake(identity, relay.now()).hello);
    await half.connection.say(half.auth);
    for (const { send } of [lost, last]) await send({ type: 'ping', id: 1 });
    for (const { isClosed } of connections) expect(isClosed()).toBe(true);
    expect(relay.served).toHaveLength(servedBefore);
    expect(await leftOf(...texts)).toEqual([]);
    await other.send({ type: 'ping', id: 1 });
    expect(relay.served.at(-1)).toMatchObject({ uid: stays.uid, frame: { type: 'ping' } });
  });

  it('refuses a connection that is opened beside it, and leaves nothing of that either', async () => {
    const uid = randomUUID();
    await relay.deleteAccount(uid);
    let asked = 0;
    const overtaken = relay.anotherContainer({
      // It began after the first look.
      isAccountDeleted: async (of) => (asked++ === 0 ? false : relay.needs.isAccountDeleted(of)),
    });
    const { statusCode } = await overtaken(connectEvent(newConnectionId(), [V1, `bearer.${idToken(uid)}`]));
    expect(statusCode).toBe(403);
    expect(await leftOf(uid)).toEqual([]);
  });
});
