import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Uid } from '../../../src/platform/ids.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { relayOf } from '../../support/relay-account.ts';

let backend: Backend;
let relay: ReturnType<typeof relayOf>;
beforeAll(async () => {
  backend = await startBackend();
  relay = relayOf(backend.services);
});
afterAll(() => backend.stop());

const isOnline = async (uid: Uid, peerId: string) =>
  (await backend.scan('relay')).some(({ partition, record }) => partition === uid && record === `online#${peerId}`);

describe('delivery', () => {
  it('reaches the others when one is gone or can’t be posted to, and tells that the gone one is offline', async () => {
    const uid = relay.newAccount();
    const [phone, tablet, hub, desktop] = [
      ...[await relay.peer(uid), await relay.peer(uid)],
      ...[await relay.peer(uid), await relay.peer(uid)],
    ];
    if (!phone || !tablet || !hub || !desktop) throw new Error('no peers');
    for (const peer of [tablet, hub, desktop]) await peer.say({ type: 'subscribe', id: 1, streams: '*' });
    relay.outcomes.set(hub.session.connectionId, 'gone');
    relay.outcomes.set(desktop.session.connectionId, 'failed');
    expect(await phone.publish('zones', 1, [relay.event(), relay.event()])).toMatchObject({ type: 'published' });
    expect(tablet.live().map(({ event }) => event.seq)).toEqual([1, 2]);
    expect(await isOnline(uid, hub.peerId)).toBe(false);
    expect(await isOnline(uid, desktop.peerId)).toBe(true);
    expect(tablet.received).toContainEqual({
      ...{ type: 'presence', peer_id: hub.peerId, online: false },
      last_seen_at: expect.any(Number),
    });
    expect(backend.metrics.counted).toContain('RelayEventsOut');
    expect(backend.metrics.measured).toContain('RelayFanOutMs');
  });

  it('leaves a peer online that has a newer connection than the one that is gone', async () => {
    const uid = relay.newAccount();
    const [phone, hub] = [await relay.peer(uid), await relay.peer(uid)];
    await hub.say({ type: 'subscribe', id: 1, streams: '*' });
    const newer = await relay.connect(uid, hub.peerId);
    relay.outcomes.set(hub.session.connectionId, 'gone');
    await newer.say({ type: 'subscribe', id: 1, streams: '*' });
    await phone.publish('zones', 1, [relay.event()]);
    expect(newer.live()).toHaveLength(1);
    expect(await hub.say({ type: 'subscribe', id: 2, streams: '*' })).toEqual([]);
    expect(await isOnline(uid, hub.peerId)).toBe(true);
  });

  it('says bye and closes, and nothing more arrives there', async () => {
    const uid = relay.newAccount();
    const [phone, lost] = [await relay.peer(uid), await relay.peer(uid)];
    await lost.say({ type: 'subscribe', id: 1, streams: '*' });
    await relay.storeConnection(lost.session);
    await relay.delivery.bye(uid, lost.session, 'revoked', 'This peer was revoked.');
    expect(lost.received.at(-1)).toEqual({ type: 'bye', code: 'revoked', reason: 'This peer was revoked.' });
    expect(relay.closed).toContain(lost.session.connectionId);
    const [record] = (await backend.scan('relay')).filter(
      ({ partition }) => partition === `connection#${lost.session.connectionId}`,
    );
    expect(record).toMatchObject({ state: 'closed' });
    expect(phone.received).toContainEqual(
      expect.objectContaining({ type: 'presence', peer_id: lost.peerId, online: false }),
    );
    await phone.publish('zones', 1, [relay.event()]);
    expect(lost.live()).toEqual([]);
    await relay.delivery.bye(uid, lost.session, 'revoked', 'Once more.');
  });

  it('reaches nobody of another account, and nobody whose connection is over', async () => {
    const [phone, stranger] = [await relay.peer(relay.newAccount()), await relay.peer(relay.newAccount())];
    expect(await relay.delivery.toAccount(phone.uid, { type: 'pong', id: 1, time: 1, heads: [] })).toEqual({
      posted: 1,
      gone: 0,
      failed: 0,
    });
    expect(stranger.received).toEqual([]);
    backend.clock.forward(2 * 60 * 60 * 1000);
    expect(await relay.delivery.toAccount(phone.uid, { type: 'pong', id: 1, time: 1, heads: [] })).toEqual({
      posted: 0,
      gone: 0,
      failed: 0,
    });
  });
});
