import { describe, expect, it } from 'vitest';
import { peerOf, reading } from '../../support/relay-peers.ts';
import { fastClock, nodeSocket, serveRelay } from '../../support/relay-wires.ts';
import { smallAccount, until } from '../../support/small-account.ts';
import { smallRelay } from '../../support/small-relay.ts';

describe('two peers', () => {
  it('see each other’s events and their own, once and in the same order', async () => {
    const { peer } = smallAccount();
    const [one, two] = [await peer(), await peer()];
    const [seenByOne, seenByTwo] = [reading(one.client, 'zones'), reading(two.client, 'zones')];
    const first = await one.client.publish('zones', { type: 'zone.renamed', payload: { name: 'Lawn' } });
    await two.client.publish('zones', { type: 'zone.renamed', payload: { name: 'Meadow' } });
    expect(first.seq).toBe(1);
    await until(() => expect(seenByTwo.payloads).toEqual([{ name: 'Lawn' }, { name: 'Meadow' }]));
    await until(() => expect(seenByOne.events).toEqual(seenByTwo.events));
  });

  it('know of each other', async () => {
    const { peer, relay } = smallAccount();
    const one = await peer();
    await until(() => expect(one.client.state.state).toBe('online'));
    const two = await peer();
    await until(() => expect(one.client.peers).toHaveLength(1));
    relay.tellAll({
      type: 'peer_changed',
      peer_id: two.peerId,
      change: 'registered',
      name: 'Tablet',
      peer_type: 'tablet',
    });
    relay.tellAll({ type: 'presence', peer_id: two.peerId, online: true, last_seen_at: 1 });
    await until(() =>
      expect(one.client.peers).toContainEqual({
        peer_id: two.peerId,
        name: 'Tablet',
        type: 'tablet',
        online: true,
        last_seen_at: 1,
      }),
    );
  });

  it('talk over real sockets, with the token in the subprotocol', async () => {
    const clock = fastClock(1);
    const relay = smallRelay(clock.now);
    const served = await serveRelay(relay);
    try {
      const [one, two] = [await peerOf(relay, nodeSocket), await peerOf(relay, nodeSocket)];
      const [a, b] = [one.start({ url: served.url }).client, two.start({ url: served.url }).client];
      const seen = reading(b, 'zones');
      await a.publish('zones', { type: 'watering.begun', payload: { zone: 3 } });
      await until(() => expect(seen.payloads).toEqual([{ zone: 3 }]));
      expect(served.tokens).toContain('token');
      a.close();
      b.close();
    } finally {
      await served.stop();
    }
  });
});
