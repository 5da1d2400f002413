import { randomUUID } from 'node:crypto';
import type { ServerFrame } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { isPeerId } from '../../../src/platform/ids.ts';
import { createPeerStore } from '../../../src/relay/peers/peer-store.ts';
import { type MeteringProxy, startMeteringProxy } from '../../../tools/build/bench/routes/metering-proxy.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { uidOf } from '../../support/relay-account.ts';
import { type WholeRelay, wholeRelay } from '../../support/relay-proof/whole-relay.ts';
import { type EstablishedPeer, established, type RelayFunction } from '../../support/relay-sessions.ts';

/* A container goes by what it stored itself within the last second. What other containers did since must count all the same. */

let backend: Backend;
let meter: MeteringProxy;
let relay: WholeRelay;
let other: RelayFunction;
beforeAll(async () => {
  meter = await startMeteringProxy(inject('dynamoDbUrl'));
  backend = await startBackend({ AWS_ENDPOINT_URL_DYNAMODB: meter.url });
  // A second is over when a test says so, however slow the machine is.
  const now = backend.clock.now();
  relay = await wholeRelay(backend, { ...backend.services, clock: { now: () => now } });
  other = relay.anotherContainer();
});
afterAll(async () => {
  await backend.stop();
  await meter.stop();
});

let uid: string;
let registered: Awaited<ReturnType<WholeRelay['newPeer']>>;
let phone: EstablishedPeer;
beforeEach(async () => {
  uid = randomUUID();
  registered = await relay.newPeer(uid, 'Phone');
  phone = await established(relay, registered.identity, registered.token);
  expect(await published(phone, 1)).toEqual([1]);
});

function frameOf(clientSeq: number) {
  const event = { event_id: `e${clientSeq}`, type: 'changed', payload: 1, sent_at: relay.now() };
  return { type: 'publish', id: clientSeq, stream: 'zones', client_seq: clientSeq, events: [event] } as const;
}
async function answer(peer: EstablishedPeer, clientSeq: number, by?: RelayFunction): Promise<ServerFrame | undefined> {
  await peer.send(frameOf(clientSeq), by);
  return peer.frames().at(-1);
}
/** The seqs that the answer names. */
async function published(peer: EstablishedPeer, clientSeq: number, by?: RelayFunction): Promise<unknown> {
  const said = await answer(peer, clientSeq, by);
  return said?.type === 'published' ? said.events.map(({ seq }) => seq) : said;
}

describe('a publish soon after another', () => {
  it('reads who is online and nothing else', async () => {
    const before = meter.total();
    expect(await published(phone, 2)).toEqual([2]);
    expect(meter.total().readUnits - before.readUnits).toBe(0.5);
  });

  it('is numbered as it should be when containers take turns, for two authors of one stream', async () => {
    const second = await relay.newPeer(uid, 'Tablet');
    const tablet = await established(relay, second.identity, second.token);
    for (const round of [1, 2, 3]) {
      expect(await published(tablet, round, other)).toEqual([2 * round]);
      expect(await published(phone, round + 1, round % 2 === 1 ? relay.invoke : other)).toEqual([2 * round + 1]);
    }
  });

  it('is neither refused nor stored twice for what only another container knows', async () => {
    expect(await published(phone, 2, other)).toEqual([2]);
    expect(await published(phone, 3)).toEqual([3]);
    expect(await published(phone, 4, other)).toEqual([4]);
    expect(await published(phone, 4)).toEqual([4]);
  });

  it('is opened and answered with the keys that another container has agreed on', async () => {
    const { frame, finish } = phone.session.rekey();
    await phone.send(frame, other);
    const said = phone.frames().at(-1);
    if (said?.type !== 'rekeyed') throw new Error(`rekey was answered ${JSON.stringify(said)}`);
    await phone.connection.say(phone.session.seal({ ...frameOf(2) }, 0));
    finish(said.ephemeral_key);
    expect(phone.frames().at(-1)).toMatchObject({ type: 'published', id: 2 });
    expect(await published(phone, 3)).toEqual([3]);
    expect(JSON.parse(phone.connection.last())).toMatchObject({ g: 1 });
  });

  it('is refused when the peer was revoked meanwhile', async () => {
    const { peerId } = registered.identity;
    if (!isPeerId(peerId)) throw new Error('not a peer id');
    await createPeerStore(backend.services).revoke(uidOf(uid), peerId, relay.now());
    expect(await answer(phone, 2)).toMatchObject({ type: 'bye', code: 'revoked' });
    const stored = (await backend.scan('relay')).filter(({ partition }) =>
      String(partition).startsWith(`${uid}#events`),
    );
    expect(stored).toHaveLength(1);
    const { connectionId } = phone.connection;
    const [record] = (await backend.scan('relay')).filter(
      ({ partition }) => partition === `connection#${connectionId}`,
    );
    expect(record).toMatchObject({ state: 'closed' });
    expect(record).not.toHaveProperty('keys');
  });

  it('is refused when the peer has connected again meanwhile', async () => {
    await established({ ...relay, invoke: other }, registered.identity, registered.token);
    relay.gateway.reopen(phone.connection.connectionId);
    expect(await answer(phone, 2)).toMatchObject({ type: 'bye', code: 'replaced' });
  });
});
