import type { ServerFrame } from '@autowatering/relay-protocol';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createEventStorage } from '../../../src/relay/log/publishing/store-events.ts';
import { createStreams } from '../../../src/relay/log/streams.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { gate } from '../../support/gate.ts';
import { relayOf, streamOf, type TestPeer } from '../../support/relay-account.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let backend: Backend;
let relay: ReturnType<typeof relayOf>;
beforeAll(async () => {
  backend = await startBackend();
  relay = relayOf(backend.services);
});
afterEach(() => {
  backend.dynamo.revive();
  backend.dynamo.setFaults([]);
});
afterAll(() => backend.stop());

const published = (frame: ServerFrame) => {
  if (frame.type !== 'published') throw new Error(JSON.stringify(frame));
  return frame;
};
const stored = async (peer: TestPeer, stream: string, epoch: string) => {
  const [page] = await peer.say({ type: 'replay', id: 0, stream, epoch, after: 0, limit: 1_000 });
  if (page?.type !== 'events') throw new Error(JSON.stringify(page));
  return page.events;
};
const account = async ({ uid }: TestPeer) =>
  (await backend.scan('relay')).filter(({ partition }) => String(partition).split('#')[0] === uid);

describe('an author who may not publish', () => {
  it('is told bye when it was revoked or has connected again, and stores nothing', async () => {
    const uid = relay.newAccount();
    const [phone, tablet] = [await relay.peer(uid), await relay.peer(uid)];
    const { epoch } = published(await phone.publish('zones', 1, [relay.event()]));
    const again = await relay.connect(uid, phone.peerId);
    expect(await phone.publish('zones', 2, [relay.event()])).toMatchObject({ type: 'bye', code: 'replaced' });
    expect(relay.closed).toContain(phone.session.connectionId);
    published(await again.publish('zones', 2, [relay.event()]));
    await relay.revoke(uid, phone.peerId);
    expect(await again.publish('zones', 3, [relay.event()])).toMatchObject({ type: 'bye', code: 'revoked' });
    expect(await stored(tablet, 'zones', epoch)).toHaveLength(2);
  });

  /** Lets something happen after a publish has read what it needs, and before it is stored. */
  const whileStoring = async <Outcome>(publishing: () => Promise<Outcome>, meanwhile: () => Promise<unknown>) => {
    const { until, letGo } = gate();
    const met = backend.dynamo.faultsMet();
    backend.dynamo.setFaults([{ match: 'TransactWriteItems', until, times: 1 }]);
    const outcome = publishing();
    await expect.poll(() => backend.dynamo.faultsMet()).toBe(met + 1);
    await meanwhile();
    letGo();
    return outcome;
  };

  it('is refused in the very transaction: revoked, replaced, or its stream deleted since it was read', async () => {
    const uid = relay.newAccount();
    const [phone, tablet] = [await relay.peer(uid), await relay.peer(uid)];
    const { epoch } = published(await phone.publish('zones', 1, [relay.event()]));
    const replaced = () => phone.publish('zones', 2, [relay.event()]);
    expect(await whileStoring(replaced, () => relay.connect(uid, phone.peerId))).toMatchObject({ code: 'replaced' });
    const again = await relay.connect(uid, phone.peerId);
    const revoked = () => again.publish('zones', 2, [relay.event()]);
    expect(await whileStoring(revoked, () => relay.revoke(uid, phone.peerId))).toMatchObject({ code: 'revoked' });
    const first = () => again.publish('new', 1, [relay.event()]);
    expect(await first()).toMatchObject({ code: 'revoked' });
    published(await tablet.publish('zones', 1, [relay.event()]));
    const remove = () => createStreams(backend.services).remove(uid, streamOf('zones'));
    const deleted = () => tablet.publish('zones', 2, [relay.event()]);
    expect(await whileStoring(deleted, remove)).toMatchObject({ code: 'client_seq_expected', expected: 1 });
    const anew = published(await tablet.publish('zones', 1, [relay.event()]));
    expect(anew.epoch).not.toBe(epoch);
    expect(await stored(tablet, 'zones', anew.epoch)).toHaveLength(1);
  });

  it('has each event stored before its revocation or not at all, however they race', async () => {
    for (let round = 0; round < 6; round += 1) {
      const uid = relay.newAccount();
      const [phone, tablet] = [await relay.peer(uid), await relay.peer(uid)];
      const { epoch } = published(await tablet.publish('zones', 1, [relay.event()]));
      let revokedAt = Number.POSITIVE_INFINITY;
      const revoke = async () => {
        await relay.revoke(uid, phone.peerId);
        revokedAt = (await stored(tablet, 'zones', epoch)).length;
      };
      let revocation: Promise<void> | undefined;
      const answers: ServerFrame[] = [];
      for (let n = 1; n <= 12; n += 1) {
        // Not awaited: from here on the two race.
        if (n === 1 + 2 * round) revocation = revoke();
        answers.push(await phone.publish('zones', n, [relay.event()]));
      }
      await revocation;
      // What was there when the revocation had been written is all that there ever is.
      const events = await stored(tablet, 'zones', epoch);
      expect(events).toHaveLength(revokedAt);
      expect(answers.filter(({ type }) => type === 'published')).toHaveLength(events.length - 1);
    }
  });
});

describe('a publish whose answer is lost', () => {
  it('is stored once, whichever write the container dies at, and the others get it with the repetition', async () => {
    for (const isFirst of [true, false]) {
      for (const writes of [0, 1]) {
        const uid = relay.newAccount();
        const [phone, tablet] = [await relay.peer(uid), await relay.peer(uid)];
        await tablet.say({ type: 'subscribe', id: 1, streams: '*' });
        if (!isFirst) published(await phone.publish('zones', 1, [relay.event()]));
        const event = relay.event();
        const clientSeq = isFirst ? 1 : 2;
        backend.dynamo.dieAfterWrites(writes);
        await expect(phone.publish('zones', clientSeq, [event])).rejects.toThrow();
        backend.dynamo.revive();
        const { epoch } = published(await phone.publish('zones', clientSeq, [event]));
        expect(await stored(phone, 'zones', epoch)).toHaveLength(clientSeq);
        expect(tablet.live().map((frame) => frame.event.event_id)).toContain(event.event_id);
      }
    }
  });

  it('is answered as if nothing had happened when DynamoDB’s answer is lost', async () => {
    const uid = relay.newAccount();
    const [phone, tablet] = [await relay.peer(uid), await relay.peer(uid)];
    await tablet.say({ type: 'subscribe', id: 1, streams: '*' });
    const { epoch } = published(await phone.publish('zones', 1, [relay.event()]));
    backend.dynamo.loseAnswer('TransactWriteItems');
    expect(published(await phone.publish('zones', 2, [relay.event()])).events).toMatchObject([{ seq: 2 }]);
    expect(await stored(phone, 'zones', epoch)).toHaveLength(2);
    expect(tablet.live().map((frame) => frame.event.seq)).toEqual([1, 2]);
  });

  it('can be repeated hours later as it was, but not sent then for the first time', async () => {
    const phone = await relay.peer(relay.newAccount());
    const [sent, lost] = [relay.event(), relay.event()];
    const first = published(await phone.publish('zones', 1, [sent]));
    backend.clock.forward(3 * 60 * 60 * 1000);
    expect(published(await phone.publish('zones', 1, [sent])).time).toBe(first.time);
    const refused = await phone.publish('zones', 2, [lost]);
    expect(refused).toMatchObject({ type: 'error', code: 'clock_skew', time: expect.any(Number) });
    published(await phone.publish('zones', 2, [{ ...lost, sent_at: backend.clock.now() - 4 * 60_000 }]));
    const ahead = relay.event({ sent_at: backend.clock.now() + 6 * 60_000 });
    expect(await phone.publish('zones', 3, [ahead])).toMatchObject({ code: 'clock_skew' });
  });
});

describe('a publish repeated late', () => {
  it('is recognised though what its author published in between has expired and is gone', async () => {
    const phone = await relay.peer(relay.newAccount());
    const sent = [relay.event(), relay.event()];
    const first = published(await phone.publish('zones', 1, sent));
    for (let n = 3; n <= 12; n += 1) published(await phone.publish('zones', n, [relay.event({ ttl_seconds: 1 })]));
    backend.clock.forward(8 * DAY_MS);
    published(await phone.publish('zones', 13, [relay.event()]));
    const client = await backend.services.documents();
    for (const { partition, record, expires_at: end } of await account(phone)) {
      if (!String(partition).includes('#events#') || Number(end) * 1000 > backend.clock.now()) continue;
      await client.delete({ TableName: backend.services.config.tables.relay, Key: { partition, record } });
    }
    const repeated = published(await phone.publish('zones', 1, sent));
    expect({ ...repeated, id: 0 }).toEqual({ ...first, id: 0 });
    expect((await stored(phone, 'zones', first.epoch)).map(({ seq }) => seq)).toEqual([1, 2, 13]);
  });

  it('is recognised in a stream of many authors, of whom the revoked ones are forgotten', async () => {
    const uid = relay.newAccount();
    const [phone, ...others] = await Promise.all(Array.from({ length: 32 }, () => relay.peer(uid)));
    if (phone === undefined) throw new Error('no peers');
    const event = relay.event();
    published(await phone.publish('zones', 1, [event]));
    for (const other of others) {
      published(await other.publish('zones', 1, [relay.event()]));
      await relay.revoke(uid, other.peerId);
    }
    expect(published(await phone.publish('zones', 1, [event])).events).toMatchObject([{ seq: 1 }]);
    published(await phone.publish('zones', 2, [relay.event()]));
    const stream = (await account(phone)).find(({ record }) => record === 'stream#zones');
    expect(Object.keys(stream?.['authors'] ?? {}).length).toBeLessThan(32);
  });
});

describe('limits', () => {
  /** To the beginning of a window of the rate, so that a test is in one. */
  const nextWindow = () => backend.clock.forward(5_000 - (backend.clock.now() % 5_000));

  it('of the rate: bursts of 100, then the time to wait', async () => {
    const uid = relay.newAccount();
    const [phone, tablet] = [await relay.peer(uid), await relay.peer(uid)];
    nextWindow();
    const batch = () => Array.from({ length: 20 }, () => relay.event());
    for (let first = 1; first <= 81; first += 20) published(await phone.publish('zones', first, batch()));
    const refused = await phone.publish('zones', 101, [relay.event()]);
    expect(refused).toMatchObject({ type: 'error', code: 'rate_limited' });
    const wait = refused.type === 'error' ? (refused.retry_after ?? 0) : 0;
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(5);
    published(await tablet.publish('zones', 1, [relay.event()]));
    backend.clock.forward(wait * 1000);
    published(await phone.publish('zones', 101, [relay.event()]));
  });

  it('of the rate: no more when a hundred and twenty events come at once', async () => {
    const phone = await relay.peer(relay.newAccount());
    nextWindow();
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        phone.publish(
          `stream-${n}`,
          1,
          Array.from({ length: 10 }, () => relay.event()),
        ),
      ),
    );
    expect(answers.filter(({ type }) => type === 'published')).toHaveLength(10);
  });

  it('of an account: so many streams, until one is deleted', async () => {
    const phone = await relay.peer(relay.newAccount());
    const streams = createStreams(backend.services);
    for (let n = 1; n <= 100; n += 1) {
      if (n % 50 === 0) backend.clock.forward(5_000);
      published(await phone.publish(`stream-${n}`, 1, [relay.event()]));
    }
    backend.clock.forward(5_000);
    expect(await phone.publish('one-more', 1, [relay.event()])).toMatchObject({ code: 'limit_reached' });
    published(await phone.publish('stream-7', 2, [relay.event()]));
    expect(await streams.remove(phone.uid, streamOf('stream-9'))).toEqual({ outcome: 'deleted', isComplete: true });
    published(await phone.publish('one-more', 1, [relay.event()]));
    expect(await streams.list(phone.uid)).toHaveLength(100);
  });

  it('of an account: so many bytes over all streams, until events expire or a stream is deleted', async () => {
    const phone = await relay.peer(relay.newAccount());
    const store = createEventStorage(backend.services, { streams: 100, bytes: 600_000 });
    const streams = createStreams(backend.services);
    const next = new Map<string, number>();
    const publish = async (stream: string) => {
      backend.clock.forward(1_000);
      const clientSeq = next.get(stream) ?? 1;
      const { uid, peerId } = phone;
      const events = Array.from({ length: 6 }, () => relay.event({ payload: 'x'.repeat(5_000) }));
      const outcome = await store({ uid, peerId }, { stream: streamOf(stream), clientSeq, events });
      if (outcome.outcome === 'published') next.set(stream, clientSeq + events.length);
      return outcome.outcome === 'limit_reached' ? outcome.limit : outcome.outcome;
    };
    const fill = async (stream: string) => {
      let count = 0;
      while ((await publish(stream)) === 'published') count += 1;
      return count;
    };
    const [first, second] = [await fill('one'), await fill('two')];
    expect((first + second) * 30_000).toBeLessThanOrEqual(600_000);
    // What one stream was allotted and does not use is lost to the other.
    expect((first + second) * 30_000).toBeGreaterThan(600_000 - 256 * 1024);
    expect(await publish('one')).toBe('bytes');
    expect(await publish('three')).toBe('bytes');
    await streams.remove(phone.uid, streamOf('two'));
    next.delete('two');
    expect(await fill('three')).toBeGreaterThanOrEqual(second);
    backend.clock.forward(91 * DAY_MS);
    expect(await fill('one')).toBeGreaterThan(10);
  });
});

describe('streams', () => {
  it('keep events for as many days as they are told', async () => {
    const phone = await relay.peer(relay.newAccount());
    const streams = createStreams(backend.services);
    const { epoch } = published(await phone.publish('zones', 1, [relay.event()]));
    expect(await streams.setRetention(phone.uid, streamOf('zones'), 1)).toMatchObject({
      stream: 'zones',
      retentionDays: 1,
      head: 1,
    });
    expect(await streams.setRetention(phone.uid, streamOf('nowhere'), 1)).toBeUndefined();
    published(await phone.publish('zones', 2, [relay.event({ key: 'a' })]));
    backend.clock.forward(1.5 * DAY_MS);
    expect((await stored(phone, 'zones', epoch)).map(({ seq }) => seq)).toEqual([1]);
    const expiries = (await account(phone)).flatMap(({ partition, expires_at: end }) =>
      String(partition).includes('#events#') || String(partition).includes('#newest#') ? [Number(end)] : [],
    );
    // Seconds, as DynamoDB's TTL counts them.
    for (const end of expiries) expect(Math.abs(end - backend.clock.now() / 1000)).toBeLessThan(90 * 24 * 60 * 60);
    expect(expiries).toHaveLength(3);
  });

  it('begin anew with another epoch after they were deleted, also when the deletion was interrupted', async () => {
    const phone = await relay.peer(relay.newAccount());
    const streams = createStreams(backend.services);
    const old = published(await phone.publish('zones', 1, [relay.event({ key: 'a' }), relay.event()]));
    for (let n = 3; n <= 70; n += 17) {
      published(
        await phone.publish(
          'zones',
          n,
          Array.from({ length: 17 }, () => relay.event()),
        ),
      );
      backend.clock.forward(5_000);
    }
    await phone.say({ type: 'ack', stream: 'zones', epoch: old.epoch, seq: 2 });
    backend.dynamo.dieAfterWrites(3);
    await expect(streams.remove(phone.uid, streamOf('zones'))).rejects.toThrow();
    backend.dynamo.revive();
    expect(await phone.publish('zones', 71, [relay.event()])).toMatchObject({
      code: 'client_seq_expected',
      expected: 1,
    });
    const made = published(await phone.publish('zones', 1, [relay.event()]));
    expect(made.epoch).not.toBe(old.epoch);
    expect(made.events).toMatchObject([{ seq: 1 }]);
    expect(await phone.say({ type: 'replay', id: 1, stream: 'zones', epoch: old.epoch, after: 2 })).toMatchObject([
      { type: 'reset', epoch: made.epoch, head: 1, oldest: 1 },
    ]);
    expect(await streams.remove(phone.uid, streamOf('zones'))).toMatchObject({ outcome: 'deleted' });
    expect(await streams.remove(phone.uid, streamOf('zones'))).toEqual({ outcome: 'not_found' });
    const left = (await account(phone)).map(({ record }) => String(record).split('#')[0]);
    expect(left.sort()).toEqual(['account', 'online', 'peer']);
  });

  it('of an account go altogether when it is deleted', async () => {
    const phone = await relay.peer(relay.newAccount());
    const streams = createStreams(backend.services);
    for (const stream of ['a', 'b']) published(await phone.publish(stream, 1, [relay.event({ key: 'k' })]));
    await streams.removeLogsOf(phone.uid);
    const left = (await account(phone)).filter(({ partition }) => partition !== phone.uid);
    expect(left).toEqual([]);
  });

  it('restored from a backup, with a new epoch, number the events on and the authors anew', async () => {
    const phone = await relay.peer(relay.newAccount());
    const events = [relay.event(), relay.event()];
    published(await phone.publish('zones', 1, events));
    await (await backend.services.documents()).update({
      TableName: backend.services.config.tables.relay,
      Key: { partition: phone.uid, record: 'stream#zones' },
      UpdateExpression: 'SET epoch = :epoch',
      ExpressionAttributeValues: { ':epoch': 'restored' },
    });
    expect(await phone.publish('zones', 3, [relay.event()])).toMatchObject({
      code: 'client_seq_expected',
      expected: 1,
    });
    const again = published(await phone.publish('zones', 1, [relay.event()]));
    expect(again).toMatchObject({ epoch: 'restored', events: [{ seq: 3 }] });
    expect((await stored(phone, 'zones', 'restored')).map(({ client_seq }) => client_seq)).toEqual([1, 2, 1]);
    expect(await phone.publish('zones', 1, events)).toMatchObject({ code: 'client_seq_expected', expected: 2 });
  });
});

describe('two accounts with the same names for everything', () => {
  it('see nothing of each other', async () => {
    const peerId = '11111111-2222-4333-8444-555555555555';
    const [ana, ben] = [await relay.peer(relay.newAccount(), peerId), await relay.peer(relay.newAccount(), peerId)];
    await ben.say({ type: 'subscribe', id: 1, streams: '*' });
    const event = relay.event({ key: 'zone-1' });
    const { epoch } = published(await ana.publish('zones', 1, [event], 0));
    published(await ana.publish('zones', 2, [relay.event({ key: 'zone-1' })], 1));
    expect(await ben.say({ type: 'replay', id: 1, stream: 'zones', epoch, after: 0 })).toMatchObject([
      { code: 'not_found' },
    ]);
    expect(await ben.say({ type: 'snapshot', id: 1, stream: 'zones' })).toMatchObject([{ code: 'not_found' }]);
    const own = published(await ben.publish('zones', 1, [event], 0));
    expect(own.epoch).not.toBe(epoch);
    expect(await stored(ben, 'zones', own.epoch)).toHaveLength(1);
    expect(await ben.say({ type: 'ping', id: 1 })).toMatchObject([{ heads: [{ stream: 'zones', head: 1 }] }]);
    expect(ben.live()).toEqual([]);
    await createStreams(backend.services).remove(ben.uid, streamOf('zones'));
    expect(await stored(ana, 'zones', epoch)).toHaveLength(2);
  });
});
