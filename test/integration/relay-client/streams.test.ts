import { memoryPositions } from '@autowatering/relay-client';
import { describe, expect, it, vi } from 'vitest';
import { reading } from '../../support/relay-peers.ts';
import { patientClock } from '../../support/relay-wires.ts';
import { smallAccount, until } from '../../support/small-account.ts';

async function account(clock?: Parameters<typeof smallAccount>[0]) {
  const made = smallAccount(clock);
  const writer = await made.peer();
  const write = async (payloads: readonly number[], more: { key?: string; ttl_seconds?: number } = {}) => {
    await Promise.all(payloads.map((payload) => writer.client.publish('log', { type: 'counted', payload, ...more })));
  };
  return { ...made, writer, write };
}

describe('a subscription', () => {
  it('begins at the oldest event, reads page by page, and goes on with what happens', async () => {
    const { peer, write } = await account();
    await write(range(1, 40));
    const { client } = await peer();
    const seen = reading(client, 'log');
    await until(() => expect(seen.payloads).toEqual(range(1, 40)));
    await write([41]);
    await until(() => expect(seen.payloads).toEqual(range(1, 41)));
  });

  it('begins with what happens now, or with the newest event of each key, if it is told so', async () => {
    const { peer, write } = await account();
    await write([1, 2], { key: 'a' });
    await write([3], { key: 'b' });
    const [one, two] = [await peer(), await peer()];
    const [now, snapshot] = [
      reading(one.client, 'log', { from: 'now' }),
      reading(two.client, 'log', { from: 'snapshot' }),
    ];
    await until(() => expect(snapshot.payloads).toEqual([2, 3]));
    await until(() => expect(one.client.state.state).toBe('online'));
    await write([4]);
    await until(() => expect(snapshot.payloads).toEqual([2, 3, 4]));
    await until(() => expect(now.payloads).toEqual([4]));
  });

  it('to everything from now on has the first event of a stream that comes later', async () => {
    const { peer, write, writer } = await account();
    await write([1]);
    const { client } = await peer();
    const seen = reading(client, '*', { from: 'now' });
    await until(async () => {
      await write([2]);
      expect(seen.payloads).toContain(2);
    });
    expect(seen.payloads).not.toContain(1);
    await writer.client.publish('later', { type: 'counted', payload: 3 });
    await until(() => expect(seen.payloads).toContain(3));
  });

  it('goes on after the end of the application behind the last event that was handled', async () => {
    const { peer, write } = await account();
    const { client, start, kept } = await peer();
    const first = reading(client, 'log');
    await write([1, 2, 3]);
    await until(async () => expect((await kept.positions.load('log'))?.seq).toBe(3));
    client.close();
    await write([4, 5]);
    const again = start();
    const second = reading(again.client, 'log');
    await until(() => expect(second.payloads).toEqual([4, 5]));
    expect(first.payloads).toEqual([1, 2, 3]);
  });

  it('is not held up by events that have expired', async () => {
    const clock = patientClock();
    const { peer, write } = await account(clock);
    await write([1]);
    await write([2, 3], { ttl_seconds: 10 });
    await write([4]);
    clock.forward(13_000);
    const { client } = await peer();
    const seen = reading(client, 'log');
    await until(() => expect(seen.payloads).toEqual([1, 4]));
    await write([5]);
    await until(() => expect(seen.payloads).toEqual([1, 4, 5]));
  });

  it('notices what was lost on the way, at the latest with the next sign of life', async () => {
    const clock = patientClock();
    const { peer, relay, write } = await account(clock);
    const { client } = await peer();
    const seen = reading(client, 'log');
    await write([1]);
    await until(() => expect(seen.payloads).toEqual([1]));
    relay.loseFrames('event');
    await write([2]);
    await until(() => expect(clock.isQuiet()).toBe(true));
    expect(seen.payloads).toEqual([1]);
    clock.forward(relay.terms.heartbeatSeconds * 1_000);
    await until(() => expect(seen.payloads).toEqual([1, 2]));
    await write([3]);
    relay.loseFrames(undefined);
    await write([4]);
    await until(() => expect(seen.payloads).toEqual([1, 2, 3, 4]));
    expect(relay.sessionsSoFar()).toBe(2);
  });

  it('waits for the handler, goes on behind one that throws, and tells of it', async () => {
    const { peer, write } = await account();
    const { client, errors } = await peer();
    const seen: string[] = [];
    client.subscribe('log', async ({ payload }) => {
      seen.push(`begin ${payload}`);
      await new Promise((resolve) => setImmediate(resolve));
      if (payload === 2) throw new Error('no');
      seen.push(`end ${payload}`);
    });
    await write([1, 2, 3]);
    await until(() => expect(seen).toEqual(['begin 1', 'end 1', 'begin 2', 'begin 3', 'end 3']));
    expect(errors.map(({ code }) => code)).toEqual(['handler']);
  });

  it('hands nothing over once the client is closed, and leaves the position to the next one', async () => {
    const { peer, write } = await account();
    const { client, kept, start } = await peer();
    const handled: unknown[] = [];
    let goOn = () => {};
    client.subscribe('log', async ({ payload }) => {
      handled.push(payload);
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
    });
    await write([1, 2, 3]);
    await until(() => expect(handled).toEqual([1]));
    client.close();
    const again = start();
    const rest = reading(again.client, 'log');
    await until(async () => expect((await kept.positions.load('log'))?.seq).toBe(3));
    goOn();
    await write([4]);
    await until(async () => expect((await kept.positions.load('log'))?.seq).toBe(4));
    expect([handled, rest.payloads]).toEqual([[1], [1, 2, 3, 4]]);
  });

  it('begins anew when the stream was deleted or restored, and says so first', async () => {
    const { peer, relay, write, wires } = await account();
    const { client } = await peer();
    const seen: (number | string)[] = [];
    const onReset = vi.fn(({ head }: { head: number }) => void seen.push(`reset ${head}`));
    client.subscribe('log', ({ payload }) => void seen.push(Number(payload)), { onReset });
    await write([1, 2, 3]);
    await until(() => expect(seen).toEqual([1, 2, 3]));
    relay.beginAnew('log', 2);
    wires.cut();
    await until(() => expect(seen).toEqual([1, 2, 3, 'reset 2', 1, 2]));
    await write([4]);
    await until(() => expect(seen).toEqual([1, 2, 3, 'reset 2', 1, 2, 4]));
    relay.beginAnew('log');
    await write([5]);
    await until(() => expect(seen.slice(-2)).toEqual([expect.stringMatching(/^reset/), 5]));
  });

  it('says so too when events that it has not read are gone', async () => {
    const { peer, relay, write } = await account();
    await write(range(1, 10));
    const { client, start } = await peer();
    const first = reading(client, 'log');
    await until(() => expect(first.events).toHaveLength(10));
    client.close();
    await write(range(11, 20));
    relay.forget('log', 15);
    const again = start();
    const resets: number[] = [];
    const second = reading(again.client, 'log', { onReset: ({ head }) => void resets.push(head) });
    await until(() => expect(second.payloads).toEqual(range(16, 20)));
    expect(resets).toEqual([20]);
  });

  it('goes on with what comes, or with a new snapshot, if it began so and the stream begins anew', async () => {
    const { peer, relay, write, wires } = await account();
    await write([1], { key: 'a' });
    const [one, two] = [await peer(), await peer()];
    const resets: string[] = [];
    const now = reading(one.client, 'log', { from: 'now', onReset: () => void resets.push('now') });
    const snapshot = reading(two.client, 'log', { from: 'snapshot', onReset: () => void resets.push('snapshot') });
    await until(() => expect(snapshot.payloads).toEqual([1]));
    await until(() => expect(one.client.state.state).toBe('online'));
    await write([2]);
    await until(() => expect([now.payloads, snapshot.payloads]).toEqual([[2], [1, 2]]));
    relay.beginAnew('log', 1);
    wires.cut();
    await until(() => expect(snapshot.payloads).toEqual([1, 2, 1]));
    await until(() => expect(resets.sort()).toEqual(['now', 'snapshot']));
    await write([3]);
    await until(() =>
      expect([now.payloads, snapshot.payloads]).toEqual([
        [2, 3],
        [1, 2, 1, 3],
      ]),
    );
  });

  it('is asked for again when the relay refuses for now, which is told', async () => {
    const { peer, relay, write } = await account();
    await write(range(1, 3));
    const refused = new Set<string>();
    relay.refuseFrames((_peer, { type }) => {
      if (!['subscribe', 'replay'].includes(type) || refused.has(type)) return undefined;
      refused.add(type);
      return { code: 'unavailable', message: 'not now' };
    });
    const { client, errors } = await peer();
    const seen = reading(client, 'log');
    await until(() => expect(seen.payloads).toEqual([1, 2, 3]));
    expect([...refused]).toEqual(['subscribe']);
    // The relay doubts our place, so the client reads on from it.
    relay.tellAll({ type: 'reset', stream: 'log', epoch: relay.epoch('log') ?? '', head: 3, oldest: 1 });
    await until(() => expect([...refused]).toEqual(['subscribe', 'replay']));
    await write([4]);
    await until(() => expect(seen.payloads).toEqual([1, 2, 3, 4]));
    expect(errors.map(({ code }) => code)).toEqual(['unavailable', 'unavailable']);
  });

  it('waits for a stream that was deleted until somebody publishes to it again', async () => {
    const { peer, relay, write } = await account();
    const { client, errors } = await peer();
    const resets: number[] = [];
    const seen = reading(client, 'log', { onReset: ({ head }) => void resets.push(head) });
    await write([1]);
    await until(() => expect(seen.payloads).toEqual([1]));
    const replays = () => relay.heard.filter(({ frame }) => frame.type === 'replay').length;
    const before = replays();
    relay.beginAnew('log');
    relay.tellAll({ type: 'reset', stream: 'log', epoch: 'gone', head: 0, oldest: 1 });
    await until(() => expect(replays()).toBe(before + 1));
    await write([2]);
    await until(() => expect(seen.payloads).toEqual([1, 2]));
    expect([resets, errors]).toEqual([[1], []]);
  });

  it('to a stream that does not exist yet gets its first event', async () => {
    const { peer, write } = await account();
    const { client } = await peer();
    const [seen, everything] = [reading(client, 'log'), reading(client, '*')];
    await until(() => expect(client.state.state).toBe('online'));
    await write([1]);
    await until(() => expect(seen.payloads).toEqual([1]));
    expect(everything.payloads).toEqual([]);
  });

  it('to everything gets every stream, also those to come', async () => {
    const { peer, writer, write } = await account();
    await write([1]);
    const { client } = await peer();
    const seen: string[] = [];
    client.subscribe('*', ({ payload }, { stream }) => void seen.push(`${stream} ${payload}`));
    await until(() => expect(seen).toEqual(['log 1']));
    await writer.client.publish('other', { type: 'counted', payload: 7 });
    await until(() => expect(seen).toEqual(['log 1', 'other 7']));
  });

  it('ends when it is told to, and there is one of a stream', async () => {
    const { peer, write } = await account();
    const { client } = await peer();
    const seen = reading(client, 'log');
    expect(() => client.subscribe('log', () => {})).toThrow('a subscription to log already');
    await write([1]);
    await until(() => expect(seen.payloads).toEqual([1]));
    const other = reading(client, 'other');
    seen.stop();
    await write([2]);
    const again = reading(client, 'log');
    // What has ended ends nothing else.
    seen.stop();
    await until(() => expect(again.payloads).toEqual([2]));
    expect([seen.payloads, other.payloads]).toEqual([[1], []]);
  });

  it('is told to the server as far as it has read', async () => {
    const { peer, relay, write } = await account();
    const { client, peerId } = await peer({ positions: memoryPositions() });
    reading(client, 'log');
    await write([1, 2]);
    const acks = () =>
      relay.heard.flatMap(({ frame, peerId: from }) => (from === peerId && frame.type === 'ack' ? [frame] : []));
    await until(() => expect(acks().at(-1)).toMatchObject({ stream: 'log', seq: 2, epoch: relay.epoch('log') }));
    expect(acks().length).toBeLessThan(3);
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
