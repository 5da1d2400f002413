import type { ErrorFrame, Published, ServerFrame } from '@autowatering/relay-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { relayOf, type TestPeer } from '../../support/relay-account.ts';

let backend: Backend;
let relay: ReturnType<typeof relayOf>;
beforeAll(async () => {
  backend = await startBackend();
  relay = relayOf(backend.services);
});
afterAll(() => backend.stop());

const seqs = (frame: ServerFrame): readonly number[] => {
  if (frame.type !== 'published') throw new Error(JSON.stringify(frame));
  return frame.events.map(({ seq }) => seq);
};
const { event } = { event: () => relay.event() };
const epochOf = (frame: ServerFrame): string => {
  if (frame.type !== 'published') throw new Error(JSON.stringify(frame));
  return frame.epoch;
};
const everything = async (peer: TestPeer, stream: string, epoch: string) => {
  const [page] = await peer.say({ type: 'replay', id: 0, stream, epoch, after: 0, limit: 1_000 });
  if (page?.type !== 'events') throw new Error(JSON.stringify(page));
  return page.events;
};

describe('publishing', () => {
  it('numbers the events of a stream, and tells the author the numbers and the others the events', async () => {
    const uid = relay.newAccount();
    const [phone, tablet] = [await relay.peer(uid), await relay.peer(uid)];
    await tablet.say({ type: 'subscribe', id: 1, streams: '*' });
    const events = [event(), event()];
    const answer = await phone.publish('zones', 1, events);
    expect(answer).toEqual({
      ...{ type: 'published', id: expect.any(Number), epoch: expect.any(String), time: expect.any(Number) },
      events: events.map(({ event_id }, at) => ({ event_id, seq: at + 1 })),
    });
    expect(seqs(await tablet.publish('zones', 1, [event()]))).toEqual([3]);
    expect(seqs(await phone.publish('zones', 3, [event()]))).toEqual([4]);
    expect(tablet.live().map((frame) => frame.event.seq)).toEqual([1, 2, 4]);
    const [first] = tablet.live();
    expect(first).toEqual({
      ...{ type: 'event', stream: 'zones', epoch: epochOf(answer) },
      event: {
        ...{ ...events[0], seq: 1, client_seq: 1, peer_id: phone.peerId },
        received_at: answer.type === 'published' && answer.time,
      },
    });
    expect(phone.live()).toEqual([]);
  });

  it('recognises a repeated publish, however long ago it was, and in whichever batches it comes', async () => {
    const uid = relay.newAccount();
    const [phone, hub] = [await relay.peer(uid), await relay.peer(uid)];
    const sent = Array.from({ length: 300 }, event);
    const first = await phone.publish('zones', 1, sent.slice(0, 3));
    const answers: ServerFrame[] = [];
    for (let at = 3; at < 300; at += 11) {
      if (at % 2 === 0) backend.clock.forward(5_000);
      answers.push(await phone.publish('zones', at + 1, sent.slice(at, at + 11)));
      if (at % 4 === 0) await hub.publish('zones', Math.floor((at - 3) / 44) + 1, [event()]);
      backend.clock.forward(5_000);
    }
    const head = await phone.say({ type: 'ping', id: 1 });
    const again = await phone.publish('zones', 1, sent.slice(0, 3));
    expect({ ...again, id: 0 }).toEqual({ ...first, id: 0 });
    expect(seqs(await phone.publish('zones', 2, sent.slice(1, 12)))).toEqual([
      ...[2, 3],
      ...(answers[0] === undefined ? [] : seqs(answers[0])).slice(0, 9),
    ]);
    for (const [at, answer] of answers.entries()) {
      const from = 3 + at * 11;
      const repeated = await phone.publish('zones', from + 1, sent.slice(from, from + 11));
      expect({ ...repeated, id: 0 }).toEqual({ ...answer, id: 0 });
    }
    expect(await phone.say({ type: 'ping', id: 1 })).toMatchObject(
      head.map(({ ...frame }) => ({ ...frame, time: expect.any(Number) })),
    );
  });

  it('tells the expected client_seq after a gap, for other events with used numbers, and for half a repetition', async () => {
    const phone = await relay.peer(relay.newAccount());
    const expected = (frame: ServerFrame) => (frame.type === 'error' ? [frame.code, frame.expected] : frame);
    expect(expected(await phone.publish('zones', 2, [event()]))).toEqual(['client_seq_expected', 1]);
    const sent = [event(), event()];
    await phone.publish('zones', 1, sent);
    expect(expected(await phone.publish('zones', 4, [event()]))).toEqual(['client_seq_expected', 3]);
    expect(expected(await phone.publish('zones', 1, [event(), event()]))).toEqual(['client_seq_expected', 3]);
    expect(expected(await phone.publish('zones', 1, [...sent, event()]))).toEqual(['client_seq_expected', 3]);
  });

  it('gives every event its number when twenty peers publish to one stream at once', async () => {
    const uid = relay.newAccount();
    const peers = await Promise.all(Array.from({ length: 20 }, () => relay.peer(uid)));
    const answers = await Promise.all(peers.map((peer) => peer.publish('zones', 1, [event(), event()])));
    expect(answers.flatMap(seqs).sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    const [first] = peers;
    if (first === undefined || answers[0] === undefined) throw new Error('no peers');
    const stored = await everything(first, 'zones', epochOf(answers[0]));
    expect(stored.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
    expect(new Set(stored.map(({ event_id }) => event_id)).size).toBe(40);
  });

  it('stores a publish once that arrives ten times at once', async () => {
    const phone = await relay.peer(relay.newAccount());
    const sent = [event()];
    const answers = await Promise.all(Array.from({ length: 10 }, () => phone.publish('zones', 1, sent)));
    expect(new Set(answers.map((answer) => JSON.stringify({ ...answer, id: 0 }))).size).toBe(1);
    expect(await everything(phone, 'zones', epochOf(answers[0] as Published))).toHaveLength(1);
  });
});

describe('a conditional publish', () => {
  const conflict = (frame: ServerFrame) => frame as ErrorFrame;

  it('is refused with the event that won, by the head of the stream or the newest event of the key', async () => {
    const uid = relay.newAccount();
    const [phone, tablet] = [await relay.peer(uid), await relay.peer(uid)];
    const zone = (minutes: number) => relay.event({ key: 'zone-1', payload: { minutes } });
    const base = await phone.publish('zones', 1, [zone(5)], 0);
    expect(seqs(base)).toEqual([1]);
    const winner = zone(7);
    expect(seqs(await tablet.publish('zones', 1, [winner], 1))).toEqual([2]);
    const refused = await phone.publish('zones', 2, [zone(9)], 1);
    expect(refused).toMatchObject({ type: 'error', code: 'conflict', seq: 2, event: { ...winner, seq: 2 } });
    expect(seqs(await phone.publish('zones', 2, [zone(8)], conflict(refused).seq))).toEqual([3]);
    expect(await phone.publish('zones', 3, [relay.event({ key: 'zone-2' })], 3)).toMatchObject({
      code: 'conflict',
      seq: 0,
      event: null,
    });
    expect(seqs(await phone.publish('zones', 3, [relay.event({ key: 'zone-2' })], 0))).toEqual([4]);
    expect(await tablet.publish('zones', 2, [relay.event()], 3)).toMatchObject({ code: 'conflict', seq: 4 });
    expect(seqs(await tablet.publish('zones', 2, [relay.event()], 4))).toEqual([5]);
  });

  it('lets one of many concurrent edits of a key win, and shows it to all the others', async () => {
    const uid = relay.newAccount();
    const peers = await Promise.all(Array.from({ length: 8 }, () => relay.peer(uid)));
    const answers = await Promise.all(
      peers.map((peer) => peer.publish('zones', 1, [relay.event({ key: 'zone-1' })], 0)),
    );
    expect(answers.filter(({ type }) => type === 'published')).toHaveLength(1);
    const winners = answers.flatMap((answer) => (answer.type === 'error' ? [[answer.code, answer.event?.seq]] : []));
    expect(winners).toEqual(Array.from({ length: 7 }, () => ['conflict', 1]));
  });
});
