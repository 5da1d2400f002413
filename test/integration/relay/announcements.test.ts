import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relayAnnouncements } from '../../../src/relay/index.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { newEvent, peersOf } from '../../support/peers.ts';
import { uidOf } from '../../support/relay-account.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

const SERVICE = '00000000-0000-0000-0000-000000000000';
const announcement = (number: number) => ({
  ...{ eventId: `news-${number}`, type: 'command.changed', key: '000001/1', payload: { number }, ttlSeconds: 3600 },
});

describe('announcements of the service', () => {
  it('are events of a stream like any other, numbered one by one, beside those of peers', async () => {
    const peers = peersOf(backend);
    const peer = await peers.peer();
    const { headers } = await peers.tokens(peer);
    const announce = relayAnnouncements(backend.services);
    const uid = uidOf(peer.owner.uid);
    const [first = '', ...more] = Array.from({ length: 10 }, (_, number) => String(number));
    await announce(uid, 'news', announcement(Number(first)));
    const published = backend.call('/relay/streams/news/events', {
      headers,
      body: { client_seq: 1, events: [newEvent(backend.clock.now())] },
    });
    await Promise.all([...more.map((number) => announce(uid, 'news', announcement(Number(number)))), published]);
    const { body } = await backend.call('/relay/streams/news/events', { headers });
    const events: { seq: number; peer_id: string; client_seq: number; payload: { number: number } }[] = body.events;
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
    const own = events.filter(({ peer_id }) => peer_id === SERVICE);
    expect(own.map(({ client_seq }) => client_seq)).toEqual(Array.from({ length: 10 }, (_, index) => index + 1));
    expect(own.map(({ payload }) => payload.number).sort()).toEqual(Array.from({ length: 10 }, (_, index) => index));
  });

  it('are not kept for an account without peers, also one whose last peer was revoked', async () => {
    const peers = peersOf(backend);
    const [alone, peer] = [newUser(), await peers.peer()];
    const announce = relayAnnouncements(backend.services);
    await announce(uidOf(alone.uid), 'news', announcement(1));
    await announce(uidOf(peer.owner.uid), 'news', announcement(1));
    await peers.revoke(peer.owner, peer.peerId);
    await announce(uidOf(peer.owner.uid), 'news', announcement(2));
    const streams = async (headers: Readonly<Record<string, string>>) =>
      (await backend.call('/relay/streams', { headers })).body.streams;
    expect(await streams({ ...alone.headers })).toEqual([]);
    expect(await streams({ ...peer.owner.headers })).toMatchObject([{ stream: 'news', head: 1 }]);
  });

  it('do not fail what they are about when the relay can’t store them', async () => {
    const peer = await peersOf(backend).peer();
    const announce = relayAnnouncements(backend.services);
    backend.dynamo.setFaults([{ drop: true }]);
    await announce(uidOf(peer.owner.uid), 'news', announcement(1));
    backend.dynamo.setFaults([]);
    expect(backend.metrics.counted).toContain('RelayAnnouncements{outcome=failed}');
  });
});
