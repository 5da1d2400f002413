import {
  type Clock,
  ConflictError,
  createRelayClient,
  generatePeerKey,
  memoryOutbox,
  memoryPins,
  memoryPositions,
  peerKeyOf,
  type RelayClientOptions,
  type RelayState,
  registerPeer,
  systemClock,
} from '@autowatering/relay-client';
import { REKEY_AFTER_SECONDS } from '@autowatering/relay-protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createRelayFunction } from '../../../src/relay-function.ts';
import { GOOD_MANNERS } from '../../../tools/run/local-stack/gateway/manners.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { reading } from '../../support/relay-peers.ts';
import { nodeSocket } from '../../support/relay-wires.ts';
import { newUser } from '../../support/tokens.ts';

/* The client as an app uses it, against the relay's function behind the local gateway. */

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { relay: createRelayFunction });
});
afterAll(() => backend.stop());

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
  backend.relay.setManners(GOOD_MANNERS);
});

const until = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 15_000, interval: 20 });
const event = (payload: number) => ({ type: 'counted', payload });

async function peer(user: ReturnType<typeof newUser>, name: string, options: Partial<RelayClientOptions> = {}) {
  const key = await peerKeyOf(await generatePeerKey());
  const now = () => backend.clock.now();
  const idToken = user.headers.Authorization.slice('Bearer '.length);
  const { peerId } = await registerPeer({ apiUrl: backend.url, idToken, name, type: 'phone', key, now });
  const kept = { outbox: memoryOutbox(), positions: memoryPositions(), serverKeys: memoryPins() };
  const start = () => {
    const client = createRelayClient({
      ...{ url: backend.relay.url, apiUrl: backend.url, peerId, key, openSocket: nodeSocket },
      ...kept,
      ...options,
    });
    closing.push(() => client.close());
    const states: RelayState[] = [];
    client.on('state', (state) => states.push(state));
    return { client, states };
  };
  return { peerId, kept, start, ...start() };
}

describe('two phones of one account', () => {
  it('see each other’s events in one order, and know of each other', async () => {
    const user = newUser();
    const [one, two] = [await peer(user, 'One'), await peer(user, 'Two')];
    const [a, b] = [reading(one.client, 'zones'), reading(two.client, '*')];
    await Promise.all(
      [1, 2, 3, 4, 5].flatMap((number) => [
        one.client.publish('zones', event(number)),
        two.client.publish('zones', event(-number)),
      ]),
    );
    await until(() => expect([a.events.length, b.events.length]).toEqual([10, 10]));
    expect(a.events).toEqual(b.events);
    expect(a.seqs).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await until(() =>
      expect(one.client.peers.map(({ name, online }) => [name, online]).sort()).toEqual([
        ['One', true],
        ['Two', true],
      ]),
    );
  }, 40_000);

  it('that edit one zone without a connection lose neither edit', async () => {
    const user = newUser();
    const edit = (name: string) => ({ type: 'zone.renamed', key: 'zone-1', payload: { name } });
    const [one, two] = [await peer(user, 'One'), await peer(user, 'Two')];
    const { seq } = await one.client.publish('zones', edit('Lawn'));
    await one.client.publish('zones', edit('Meadow'), { ifSeq: seq });
    const refused = await two.client.publish('zones', edit('Field'), { ifSeq: seq }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConflictError);
    expect(refused).toMatchObject({ winner: { payload: { name: 'Meadow' } }, seq: 2 });
    const merged = await two.client.publish('zones', edit('Field'), {
      ifSeq: seq,
      merge: ({ winner }) => ({ payload: { names: [String(winner?.seq), 'Field'] } }),
    });
    expect(merged.seq).toBe(3);
    const third = await peer(user, 'Three');
    const snapshot = reading(third.client, 'zones', { from: 'snapshot' });
    await until(() => expect(snapshot.payloads).toEqual([{ names: ['2', 'Field'] }]));
  }, 40_000);

  it('miss nothing over a gateway that loses, shuffles and kills, while their keys change', async () => {
    const user = newUser();
    // Waits a tenth of the time for answers that a killed function never gives, and for new keys hardly at all.
    const rekeyMs = REKEY_AFTER_SECONDS * 1000;
    const clock: Clock = {
      now: Date.now,
      after: (ms, call) => systemClock.after(ms === rekeyMs ? 300 : ms / 10, call),
    };
    const [one, two] = [await peer(user, 'One', { clock }), await peer(user, 'Two', { clock })];
    const [a, b] = [reading(one.client, 'log'), reading(two.client, 'log')];
    await until(() => expect([one.client.state.state, two.client.state.state]).toEqual(['online', 'online']));
    backend.relay.setManners({ order: 'shuffled', losesDisconnects: true, killShare: 0.1 });
    const published: Promise<unknown>[] = [];
    for (let number = 1; number <= 20; number += 1) {
      const client = number % 2 === 0 ? one.client : two.client;
      published.push(client.publish('log', event(number)));
      if (number === 8) backend.relay.setManners({ failPosts: { status: 500, times: 5 } });
      if (number % 7 === 0) {
        const [connection] = backend.relay.connections();
        if (connection !== undefined) backend.relay.cut(connection);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(published);
    backend.relay.setManners(GOOD_MANNERS);
    one.client.wake();
    two.client.wake();
    await until(() => expect([a.events.length, b.events.length]).toEqual([20, 20]));
    expect(a.events.map(({ seq, event_id }) => [seq, event_id])).toEqual(
      b.events.map(({ seq, event_id }) => [seq, event_id]),
    );
    expect([...a.payloads].sort((x, y) => Number(x) - Number(y))).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  }, 60_000);

  it('go on after the end of the app, and read what is stored', async () => {
    const user = newUser();
    const one = await peer(user, 'One');
    for (let sent = 0; sent < 100; sent += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => one.client.publish('log', event(sent + index))));
    }
    one.client.close();
    const again = one.start();
    const read = reading(again.client, 'log');
    await until(() => expect(read.payloads).toEqual(Array.from({ length: 100 }, (_, index) => index)));
    again.client.close();
    const third = one.start();
    const rest = reading(third.client, 'log');
    const { seq } = await third.client.publish('log', event(100));
    expect(seq).toBe(101);
    await until(() => expect(rest.payloads).toEqual([100]));
  }, 60_000);
});

it('a phone that is revoked is out, and stays out', async () => {
  const user = newUser();
  const [one, two] = [await peer(user, 'One'), await peer(user, 'Two')];
  await until(() => expect(two.client.state.state).toBe('online'));
  const answer = await backend.call(`/relay/peers/${two.peerId}/revoke`, { headers: user.headers, body: {} });
  expect(answer.body.error).toBeUndefined();
  await until(() => expect(two.client.state).toMatchObject({ state: 'refused', reason: 'revoked' }));
  two.client.connect();
  await until(() => expect(two.client.state).toMatchObject({ state: 'refused', reason: 'token_refused' }));
  await one.client.publish('log', event(1));
}, 40_000);

it('a second run of the same peer takes over, and the first one stops', async () => {
  const one = await peer(newUser(), 'One');
  await until(() => expect(one.client.state.state).toBe('online'));
  const second = one.start();
  await until(() => expect(second.client.state.state).toBe('online'));
  await until(() => expect(one.client.state).toMatchObject({ state: 'refused', reason: 'replaced' }));
}, 40_000);
