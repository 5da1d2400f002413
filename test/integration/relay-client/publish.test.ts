import { ConflictError, type Merge } from '@autowatering/relay-client';
import { describe, expect, it } from 'vitest';
import { reading } from '../../support/relay-peers.ts';
import { fastClock, patientClock } from '../../support/relay-wires.ts';
import { smallAccount, until } from '../../support/small-account.ts';

function account(clock?: Parameters<typeof smallAccount>[0]) {
  const made = smallAccount(clock);
  const batches = () =>
    made.relay.heard.flatMap(({ frame }) =>
      frame.type === 'publish' ? [frame.events.map(({ payload }) => payload)] : [],
    );
  return { ...made, batches };
}
const event = (payload: string | number) => ({ type: 'zone.changed', payload });

describe('publishing', () => {
  it('sends what gathered without a connection in frames of at most twenty, in order', async () => {
    const { peer, relay, wires, batches } = account();
    wires.setDown(true);
    const { client } = await peer();
    const published = Array.from({ length: 45 }, (_, number) => client.publish('log', event(number)));
    wires.setDown(false);
    const publications = await Promise.all(published);
    expect(publications.map(({ seq }) => seq)).toEqual(Array.from({ length: 45 }, (_, index) => index + 1));
    expect(batches().map(({ length }) => length)).toEqual([20, 20, 5]);
    expect(relay.log('log').map(({ payload }) => payload)).toEqual(Array.from({ length: 45 }, (_, number) => number));
  });

  it('never makes a frame that is too large', async () => {
    const { peer, wires, batches } = account();
    wires.setDown(true);
    const { client } = await peer();
    const large = 'ü'.repeat(8_000);
    const published = Array.from({ length: 6 }, () => client.publish('log', event(large)));
    wires.setDown(false);
    await Promise.all(published);
    for (const batch of batches()) expect(JSON.stringify(batch).length * 2).toBeLessThan(32_768);
    expect(batches().length).toBeGreaterThan(3);
  });

  it('sends the same again when the answer is lost, which is then stored once', async () => {
    const { peer, relay, wires } = account();
    const { client } = await peer();
    await until(() => expect(client.state.state).toBe('online'));
    relay.loseFrames('published');
    const first = client.publish('log', event(1));
    await until(() => expect(relay.log('log')).toHaveLength(1));
    const second = client.publish('log', event(2));
    relay.loseFrames(undefined);
    wires.cut();
    expect([(await first).seq, (await second).seq]).toEqual([1, 2]);
    expect(relay.log('log').map(({ payload, client_seq }) => [payload, client_seq])).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('goes on after the end of the application where it was, without a second copy', async () => {
    const { peer, relay, wires } = account();
    const { client, start, kept } = await peer();
    await client.publish('log', event(1));
    relay.loseFrames('published');
    const lost = client.publish('log', event(2)).catch((error: unknown) => error);
    await until(() => expect(relay.log('log')).toHaveLength(2));
    wires.setDown(true);
    await client.enqueue('log', event(3));
    client.close();
    expect(await lost).toMatchObject({ code: 'closed' });
    relay.loseFrames(undefined);
    wires.setDown(false);
    const again = start();
    await again.client.publish('log', event(4));
    expect(relay.log('log').map(({ payload }) => payload)).toEqual([1, 2, 3, 4]);
    expect(await kept.outbox.all()).toEqual([]);
  });

  it('finds its number again when the outbox of another time is gone', async () => {
    const { peer, relay } = account();
    const { client, start } = await peer();
    for (const number of [1, 2, 3]) await client.publish('log', event(number));
    client.close();
    const { memoryOutbox } = await import('@autowatering/relay-client');
    const again = start({ outbox: memoryOutbox() });
    await again.client.publish('log', event(4));
    expect(relay.log('log').map(({ payload }) => payload)).toEqual([1, 2, 3, 4]);
  });

  it('does not take another event’s answer for its own', async () => {
    const { peer, relay } = account();
    const { client, start } = await peer();
    await client.publish('log', event(1));
    client.close();
    const { memoryOutbox } = await import('@autowatering/relay-client');
    const again = start({ outbox: memoryOutbox() });
    expect((await again.client.publish('log', event(2))).seq).toBe(2);
    expect(relay.log('log').map(({ payload }) => payload)).toEqual([1, 2]);
  });

  it('waits as long as the server asks when it was too much', async () => {
    const { peer, relay, clock } = account(fastClock(50));
    const { client } = await peer();
    let refusals = 0;
    relay.refuseFrames((_, frame) => {
      if (frame.type !== 'publish' || refusals === 2) return undefined;
      refusals += 1;
      return { code: 'rate_limited', message: 'slower', retry_after: 5 };
    });
    const before = clock.now();
    await client.publish('log', event(1));
    expect(clock.now() - before).toBeGreaterThan(10_000);
    expect(relay.log('log')).toHaveLength(1);
  });

  it('gives up an event that the server can’t take, but not its neighbours', async () => {
    const { peer, relay, wires, batches } = account();
    wires.setDown(true);
    const { client } = await peer();
    const failed: string[] = [];
    client.on('failed', ({ entry, error }) => failed.push(`${entry.event.payload} ${error.code}`));
    relay.refuseFrames((_, frame) => {
      const isBad = frame.type === 'publish' && frame.events.some(({ payload }) => payload === 'bad');
      return isBad ? { code: 'malformed', message: 'bad' } : undefined;
    });
    const published = ['a', 'bad', 'b'].map((payload) => client.publish('log', event(payload)));
    wires.setDown(false);
    const [a, bad, b] = await Promise.allSettled(published);
    expect([a?.status, bad?.status, b?.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(relay.log('log').map(({ payload, client_seq }) => [payload, client_seq])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    expect(failed).toEqual(['bad malformed']);
    expect(batches()[0]).toEqual(['a', 'bad', 'b']);
  });

  it('sends with the present time what was made long before', async () => {
    const clock = patientClock();
    const { peer, relay, wires } = account(clock);
    wires.setDown(true);
    const { client, kept } = await peer();
    await until(() => expect(client.state.state).toBe('offline'));
    const publishing = client.publish('log', event(1));
    await until(async () => expect(await kept.outbox.all()).toHaveLength(1));
    clock.forward(400_000);
    wires.setDown(false);
    client.wake();
    await publishing;
    const [stored] = relay.log('log');
    expect((stored?.received_at ?? 0) - (stored?.sent_at ?? 0)).toBeLessThan(300_000);
  });

  it('tells of mistakes at once', async () => {
    const { peer } = account();
    const { client } = await peer();
    const mistakes = [
      client.publish('No stream', event(1)),
      client.publish('log', { type: 'Not A Type', payload: 1 }),
      client.publish('log', { type: 'a', payload: '\ud800' }),
      client.publish('log', { type: 'a', payload: 1, key: '' }),
      client.publish('log', { type: 'a', payload: 1, ttl_seconds: 0 }),
      client.publish('log', { type: 'a', payload: 1, event_id: 'no id' }),
    ];
    for (const mistake of mistakes) await expect(mistake).rejects.toMatchObject({ code: 'malformed' });
    await expect(client.publish('log', event('x'.repeat(16_385)))).rejects.toMatchObject({ code: 'too_large' });
  });
});

describe('two edits of one zone without a connection', () => {
  const edit = (name: string) => ({ type: 'zone.renamed', payload: { name }, key: 'zone-1' });

  async function conflict(merge?: Merge) {
    const all = account();
    const [one, two] = [await all.peer(), await all.peer(merge === undefined ? {} : { merge })];
    const seen = reading(two.client, 'zones');
    const { seq } = await one.client.publish('zones', edit('Lawn'));
    await until(() => expect(seen.events).toHaveLength(1));
    await one.client.publish('zones', edit('Meadow'), { ifSeq: seq });
    return { ...all, one, two, base: seq };
  }

  it('end with the first one’s event in the hands of the second', async () => {
    const { two, base, relay, one } = await conflict();
    const error = await two.client.publish('zones', edit('Field'), { ifSeq: base }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({
      code: 'conflict',
      seq: 2,
      winner: { payload: { name: 'Meadow' }, peer_id: one.peerId },
    });
    expect(await two.kept.outbox.all()).toEqual([]);
    expect((await two.client.publish('zones', edit('Field'), { ifSeq: 2 })).seq).toBe(3);
    expect(relay.log('zones').map(({ client_seq }) => client_seq)).toEqual([1, 2, 1]);
  });

  it('are merged by the application, and published on top', async () => {
    const names: unknown[] = [];
    const { two, base, relay } = await conflict(({ mine, winner }) => {
      names.push(mine.payload, winner?.payload);
      return { payload: { name: 'Meadow and field' } };
    });
    expect((await two.client.publish('zones', edit('Field'), { ifSeq: base })).seq).toBe(3);
    expect(names).toEqual([{ name: 'Field' }, { name: 'Meadow' }]);
    expect(relay.log('zones').at(-1)?.payload).toEqual({ name: 'Meadow and field' });
  });

  it('are merged by the edit’s own rule before the application’s', async () => {
    const { two, base, relay } = await conflict(() => ({ payload: { name: 'by the application' } }));
    const merge: Merge = async () => ({ payload: { name: 'by the edit' } });
    await two.client.publish('zones', edit('Field'), { ifSeq: base, merge });
    expect(relay.log('zones').at(-1)?.payload).toEqual({ name: 'by the edit' });
  });

  it('stay a conflict if the merge gives up or fails, which is told', async () => {
    const giveUp = await conflict(() => undefined);
    const field = giveUp.two.client.publish('zones', edit('Field'), { ifSeq: giveUp.base });
    await expect(field).rejects.toBeInstanceOf(ConflictError);
    expect(giveUp.two.errors.filter(({ code }) => code === 'handler')).toEqual([]);
    const failing = await conflict(() => {
      throw new Error('no');
    });
    const yard = failing.two.client.publish('zones', edit('Yard'), { ifSeq: failing.base });
    await expect(yard).rejects.toBeInstanceOf(ConflictError);
    expect(failing.two.errors.filter(({ code }) => code === 'handler')).toHaveLength(1);
    expect(await failing.two.kept.outbox.all()).toEqual([]);
  });

  it('do not conflict with one’s own edit that went before', async () => {
    const { peer, relay, wires } = account();
    const { client } = await peer();
    const { seq } = await client.publish('zones', edit('Lawn'));
    wires.setDown(true);
    await until(() => expect(client.state.state).toBe('offline'));
    const edits = ['Meadow', 'Field', 'Yard'].map((name) => client.publish('zones', edit(name), { ifSeq: seq }));
    wires.setDown(false);
    await Promise.all(edits);
    expect(relay.log('zones').map(({ payload }) => payload)).toEqual(
      ['Lawn', 'Meadow', 'Field', 'Yard'].map((name) => ({ name })),
    );
  });

  it('conflict also for the later of one’s own, after somebody else’s won', async () => {
    const { two, base, relay } = await conflict();
    const edits = ['Field', 'Yard'].map((name) => two.client.publish('zones', edit(name), { ifSeq: base }));
    const ends = await Promise.allSettled(edits);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(relay.log('zones')).toHaveLength(2);
  });
});
