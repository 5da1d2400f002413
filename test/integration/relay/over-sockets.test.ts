import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import type { ServerFrame } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { createRelayFunction } from '../../../src/relay-function.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { closedWith, connected, refusedWith } from '../../support/local-gateway.ts';
import {
  newPeerIdentity,
  type PeerIdentity,
  peerAssertion,
  registrationProof,
  startHandshake,
} from '../../support/relay.ts';
import { newUser } from '../../support/tokens.ts';

/*
 * From registration to live delivery as a phone goes through it: over HTTP and real WebSockets, with the function's own
 * permissions.
 */

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { relay: createRelayFunction });
});
afterAll(() => backend.stop());

const subprotocols = (token: string) => ['autowatering.relay.v1', `bearer.${token}`];

async function registered(user: ReturnType<typeof newUser>, name: string): Promise<PeerIdentity> {
  const identity = newPeerIdentity();
  const answer = await backend.call('/relay/peers', {
    headers: user.headers,
    body: { name, type: 'phone', ...registrationProof(identity, user.uid, backend.clock.now()) },
  });
  expect(answer.body.error).toBeUndefined();
  return { ...identity, peerId: answer.body.peer.peer_id };
}

async function accessTokenOf(peer: PeerIdentity): Promise<string> {
  const answer = await fetch(`${backend.url}/relay/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: peerAssertion(peer, `${backend.url}/relay/token`, backend.clock.now()),
    }),
  });
  return z.object({ access_token: z.string() }).parse(await answer.json()).access_token;
}

/** A phone with an established session, and the frames it gets. */
async function online(peer: PeerIdentity) {
  const { keys } = (await backend.call('/.well-known/jwks.json')).body;
  const serverKey = createPublicKey({ key: keys[0], format: 'jwk' });
  const socket = await connected(backend.relay.url, subprotocols(await accessTokenOf(peer)));
  expect(socket.protocol).toBe('autowatering.relay.v1');
  const messages: string[] = [];
  socket.on('message', (data) => messages.push(String(data)));
  const next = async (): Promise<string> => {
    await expect.poll(() => messages.length, { timeout: 10_000 }).toBeGreaterThan(0);
    return messages.shift() ?? '';
  };
  const handshake = startHandshake(peer, backend.clock.now());
  socket.send(JSON.stringify(handshake.hello));
  const { auth, session } = handshake.answer(JSON.parse(await next()), serverKey);
  socket.send(JSON.stringify(auth));
  const frame = async (type: ServerFrame['type']): Promise<ServerFrame> => {
    for (;;) {
      const opened = session.open(await next());
      if (opened.type === type) return opened;
    }
  };
  const established = await frame('session_established');
  return {
    socket,
    established,
    frame,
    say: (one: Parameters<typeof session.seal>[0]) => socket.send(session.seal(one)),
  };
}

describe('over real WebSockets', () => {
  it('nobody gets in without a good token', async () => {
    const { url } = backend.relay;
    expect(await refusedWith(url, ['autowatering.relay.v1'])).toBe(401);
    expect(await refusedWith(url, subprotocols('not.a.token'))).toBe(401);
    expect(await refusedWith(url, ['bearer.x'])).toBe(400);
  });

  it('what one phone publishes, the other gets at once, and the log has it', async () => {
    const user = newUser();
    const [mine, tablet] = [
      await online(await registered(user, 'Phone')),
      await online(await registered(user, 'Tablet')),
    ];
    expect(mine.established).toMatchObject({ streams: [] });
    tablet.say({ type: 'subscribe', id: 1, streams: '*' });
    tablet.say({ type: 'ping', id: 2 });
    await tablet.frame('pong');
    const event = { event_id: 'e1', type: 'zone.changed', payload: { litres: 2 }, sent_at: backend.clock.now() };
    mine.say({ type: 'publish', id: 1, stream: 'zones', client_seq: 1, events: [event] });
    expect(await mine.frame('published')).toMatchObject({ id: 1, events: [{ event_id: 'e1', seq: 1 }] });
    expect(await tablet.frame('event')).toMatchObject({ stream: 'zones', event: { seq: 1, payload: { litres: 2 } } });
    const stream = (await backend.scan('relay')).find(({ record }) => record === 'stream#zones');
    expect(stream).toMatchObject({ head: 1 });
    mine.socket.terminate();
    tablet.socket.terminate();
  }, 30_000);

  it('a newer connection of a peer replaces the older one', async () => {
    const user = newUser();
    const phone = await registered(user, 'Phone');
    const older = await online(phone);
    const closed = closedWith(older.socket);
    const newer = await online(phone);
    expect(await older.frame('bye')).toMatchObject({ code: 'replaced' });
    expect(await closed).toBe(1000);
    expect(newer.socket.readyState).toBe(WebSocket.OPEN);
    newer.socket.close();
    await once(newer.socket, 'close');
  }, 30_000);
});
