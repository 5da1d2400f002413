import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { newEvent, peersOf } from '../../support/peers.ts';

let backend: Backend;
let peers: ReturnType<typeof peersOf>;
beforeAll(async () => {
  backend = await startBackend();
  peers = peersOf(backend);
});
afterAll(() => backend.stop());

type Headers = Readonly<Record<string, string>>;

const event = (fields: Readonly<Record<string, unknown>> = {}) => newEvent(backend.clock.now(), undefined, fields);
const publish = (headers: Headers, clientSeq: number, events: readonly unknown[], more: object = {}) =>
  backend.call('/relay/streams/zones/events', { headers, body: { client_seq: clientSeq, events, ...more } });
const read = (headers: Headers, query = '') => backend.call(`/relay/streams/zones/events${query}`, { headers });

async function author() {
  const peer = await peers.peer();
  const { headers } = await peers.tokens(peer);
  return { ...peer, headers };
}

describe('publishing over HTTP', () => {
  it('stores events once, in order, for everybody of the account', async () => {
    const phone = await author();
    const events = [event({ key: 'zone-1' }), event({ ttl_seconds: 60 })];
    const { status, body } = await publish(phone.headers, 1, events);
    expect([status, body]).toEqual([
      200,
      {
        ...{ ok: true, epoch: expect.any(String), time: expect.any(Number) },
        events: events.map(({ event_id }, index) => ({ event_id, seq: index + 1 })),
      },
    ]);
    expect((await publish(phone.headers, 1, events)).body).toEqual(body);
    const stored = await read({ ...phone.owner.headers });
    expect(stored.body).toMatchObject({ ok: true, stream: 'zones', epoch: body.epoch, head: 2 });
    expect(stored.body.events).toMatchObject([
      { seq: 1, peer_id: phone.peerId, client_seq: 1, key: 'zone-1', payload: { minutes: 5 } },
      { seq: 2, client_seq: 2, expires_at: expect.any(Number) },
    ]);
  });

  it('tells a conflict with the event that won, and which client_seq it expects', async () => {
    const phone = await author();
    const won = event({ key: 'zone-1', payload: 'first' });
    await publish(phone.headers, 1, [won]);
    const late = await publish(phone.headers, 2, [event({ key: 'zone-1' })], { if_seq: 0 });
    expect([late.status, late.body.error.code]).toEqual([409, 'conflict']);
    expect(late.body.error.details).toMatchObject({ seq: 1, event: { event_id: won.event_id, payload: 'first' } });
    expect((await publish(phone.headers, 2, [event({ key: 'zone-1' })], { if_seq: 1 })).status).toBe(200);
    const gap = await publish(phone.headers, 9, [event()]);
    expect([gap.status, gap.body.error]).toMatchObject([
      409,
      { code: 'client_seq_expected', details: { expected: 3 } },
    ]);
  });

  it('is for peers: a user alone is no author', async () => {
    const phone = await author();
    const { status, body } = await publish(phone.owner.headers, 1, [event()]);
    expect([status, body.error.code]).toEqual([403, 'peer_required']);
  });

  it('is limited per peer', async () => {
    const phone = await author();
    const twenty = () => Array.from({ length: 20 }, () => event());
    const answers = [];
    for (let count = 0; count < 6; count += 1) answers.push(await publish(phone.headers, 1 + 20 * count, twenty()));
    const limited = answers.find(({ status }) => status !== 200);
    expect([limited?.status, limited?.body.error.code]).toEqual([429, 'rate_limited']);
    expect(Number(limited?.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it.each<[string, () => object]>([
    ['no events', () => ({ events: [] })],
    ['21 events', () => ({ events: Array.from({ length: 21 }, () => event()) })],
    ['the same event twice', () => ({ events: [event({ event_id: 'a' }), event({ event_id: 'a' })] })],
    ['a payload of more than 16 KiB', () => ({ events: [event({ payload: 'x'.repeat(16_400) })] })],
    ['a payload without end', () => ({ events: [event({ payload: nested(60) })] })],
    ['half a character', () => ({ events: [event({ payload: '\ud800' })] })],
    ['a type with spaces', () => ({ events: [event({ type: 'a b' })] })],
    ['an unknown field', () => ({ events: [event({ seq: 1 })] })],
    ['client_seq 0', () => ({ client_seq: 0 })],
    ['a negative if_seq', () => ({ if_seq: -1 })],
  ])('refuses %s', async (_, fields) => {
    const phone = await author();
    const { status, body } = await publish(phone.headers, 1, [event()], fields());
    expect([status, body.error.code]).toEqual([400, 'validation_failed']);
    expect((await backend.call('/relay/streams', { headers: phone.headers })).body.streams).toEqual([]);
  });

  it('refuses a clock that is off, with ours', async () => {
    const phone = await author();
    const { body } = await publish(phone.headers, 1, [event({ sent_at: backend.clock.now() - 400_000 })]);
    expect(body.error).toMatchObject({ code: 'clock_skew', details: { time: expect.any(Number) } });
  });
});

describe('reading over HTTP', () => {
  it('goes on where a page ended', async () => {
    const phone = await author();
    await publish(
      phone.headers,
      1,
      Array.from({ length: 5 }, () => event()),
    );
    const seqs: number[] = [];
    let query = '?limit=2';
    for (let pages = 0; pages < 3; pages += 1) {
      const { body } = await read(phone.headers, query);
      seqs.push(...body.events.map(({ seq }: { seq: number }) => seq));
      query = `?limit=2&continuation=${body.continuation}`;
      if (pages === 2) expect(body.continuation).toBeUndefined();
    }
    expect(seqs).toEqual([1, 2, 3, 4, 5]);
    expect((await read(phone.headers, '?after=4')).body.events).toMatchObject([{ seq: 5 }]);
  });

  it('refuses a continuation of another account, another limit or nobody’s', async () => {
    const [mine, theirs] = [await author(), await author()];
    for (const { headers } of [mine, theirs]) await publish(headers, 1, [event(), event(), event()]);
    const { body } = await read(theirs.headers, '?limit=1');
    for (const query of [`?limit=1&continuation=${body.continuation}`, '?continuation=x']) {
      const refused = await read(mine.headers, query);
      expect([refused.status, refused.body.error.details[0]?.field]).toEqual([400, 'continuation']);
    }
    expect((await read(theirs.headers, `?limit=2&continuation=${body.continuation}`)).status).toBe(400);
    expect((await read(theirs.headers, `?limit=1&continuation=${body.continuation}`)).status).toBe(200);
  });

  it('says when the epoch is another', async () => {
    const phone = await author();
    await publish(phone.headers, 1, [event()]);
    const { epoch } = (await read(phone.headers)).body;
    const removed = await backend.call('/relay/streams/zones/delete', { headers: phone.headers, body: {} });
    expect(removed.body).toEqual({ ok: true, deleted: true, complete: true });
    expect((await read(phone.headers)).body.error.code).toBe('stream_not_found');
    await publish(phone.headers, 1, [event()]);
    const { status, body } = await read(phone.headers, `?epoch=${epoch}`);
    expect([status, body.error.code]).toEqual([409, 'stream_reset']);
    expect(body.error.details).toEqual({ epoch: expect.not.stringMatching(epoch), head: 1, oldest: 1 });
  });

  it.each(['?limit=0', '?limit=1001', '?limit=x', '?after=-1', '?after=99999999999999999', '?epoch=%20'])(
    'refuses %s',
    async (query) => {
      const phone = await author();
      expect((await read(phone.headers, query)).body.error.code).toBe('validation_failed');
    },
  );
});

describe('streams', () => {
  it('are listed, and keep events for as long as is set', async () => {
    const phone = await author();
    await publish(phone.headers, 1, [event()]);
    const change = (days: unknown, stream = 'zones') =>
      backend.call(`/relay/streams/${stream}`, { headers: phone.headers, body: { retention_days: days } });
    expect((await change(30)).body.stream).toMatchObject({ stream: 'zones', head: 1, retention_days: 30 });
    expect((await backend.call('/relay/streams', { headers: phone.headers })).body.streams).toMatchObject([
      { stream: 'zones', retention_days: 30, bytes: expect.any(Number) },
    ]);
    for (const days of [0, 366, 1.5, '7']) expect((await change(days)).status).toBe(400);
    expect((await change(7, 'unknown')).body.error.code).toBe('stream_not_found');
    expect((await change(7, 'NO')).status).toBe(400);
  });

  it('of another account are as if they did not exist', async () => {
    const [mine, theirs] = [await author(), await author()];
    await publish(theirs.headers, 1, [event()]);
    const { epoch } = (await read(theirs.headers)).body;
    const calls = [
      read(mine.headers),
      read(mine.headers, `?epoch=${epoch}`),
      backend.call('/relay/streams/zones', { headers: mine.headers, body: { retention_days: 1 } }),
      backend.call('/relay/streams/zones/delete', { headers: mine.headers, body: {} }),
    ];
    for (const { status, body } of await Promise.all(calls)) {
      expect([status, body.error.code]).toEqual([404, 'stream_not_found']);
    }
    expect((await backend.call('/relay/streams', { headers: mine.headers })).body.streams).toEqual([]);
    expect((await read(theirs.headers)).body.events).toHaveLength(1);
  });
});

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}
