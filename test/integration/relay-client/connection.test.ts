import { RelayError } from '@autowatering/relay-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { peerOf, reading } from '../../support/relay-peers.ts';
import { fastClock, patientClock } from '../../support/relay-wires.ts';
import { smallAccount, until } from '../../support/small-account.ts';
import { smallRelay } from '../../support/small-relay.ts';

const event = (payload: number) => ({ type: 'counted', payload });

describe('a connection', () => {
  it('comes back by itself, and what happened meanwhile is told in order', async () => {
    const { peer, wires, relay } = smallAccount();
    const [one, two] = [await peer(), await peer()];
    const seen = reading(two.client, 'log');
    await one.client.publish('log', event(1));
    await until(() => expect(seen.payloads).toEqual([1]));
    wires.setDown(true);
    await until(() => expect(two.client.state.state).toBe('offline'));
    const published = [2, 3, 4].map((number) => one.client.publish('log', event(number)));
    wires.setDown(false);
    await Promise.all(published);
    await until(() => expect(seen.payloads).toEqual([1, 2, 3, 4]));
    expect(relay.log('log').map(({ client_seq }) => client_seq)).toEqual([1, 2, 3, 4]);
  });

  it('waits longer and longer before it tries again, by chance', async () => {
    const clock = patientClock();
    const { peer, wires } = smallAccount(clock);
    wires.setDown(true);
    const { client } = await peer({ random: () => 0.999 });
    const waits: number[] = [];
    while (waits.length < 8) {
      await until(() => expect(client.state).toMatchObject({ state: 'offline', retryAt: expect.any(Number) }));
      const { state } = client;
      const ms = 'retryAt' in state ? (state.retryAt ?? 0) - clock.now() : 0;
      waits.push(Math.round(ms / 1_000));
      if (ms > 2_000) clock.forward(ms);
      await until(() => expect(client.state).not.toBe(state));
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  });

  it('is ended for good by the account’s word, and tells why', async () => {
    for (const code of ['revoked', 'replaced'] as const) {
      const { peer, relay } = smallAccount();
      const { client, peerId, states } = await peer();
      await until(() => expect(client.state.state).toBe('online'));
      relay.bye(peerId, code);
      await until(() => expect(client.state).toMatchObject({ state: 'refused', reason: code }));
      expect(states.at(-1)?.state).toBe('refused');
      expect(relay.sessionsSoFar()).toBe(1);
      client.connect();
      await until(() => expect(client.state.state).toBe('online'));
    }
  });

  it('comes back after a shutdown, not before the time that the server asked for', async () => {
    const { peer, relay, clock } = smallAccount(fastClock(100));
    const { client, peerId, states } = await peer();
    await until(() => expect(client.state.state).toBe('online'));
    const before = clock.now();
    relay.bye(peerId, 'shutdown', 30);
    await until(() => expect(states).toContainEqual(expect.objectContaining({ state: 'offline', reason: 'shutdown' })));
    await until(() => expect(client.state.state).toBe('online'));
    expect(clock.now() - before).toBeGreaterThan(30_000);
  });

  it('is refused to a stranger, and not tried again', async () => {
    const { peer, relay } = smallAccount();
    const { client, peerId } = await peer();
    await until(() => expect(client.state.state).toBe('online'));
    relay.removePeer(peerId);
    relay.drop(peerId);
    await until(() => expect(client.state).toMatchObject({ state: 'refused', reason: 'unknown_peer' }));
  });

  it('is not continued with a server of another key', async () => {
    const { peer } = smallAccount();
    const other = smallRelay(Date.now);
    const { client } = await peer({
      serverKeys: { find: async () => new Uint8Array(32).fill(7), confirmed: async () => {} },
    });
    await until(() => expect(client.state).toMatchObject({ state: 'refused', reason: 'server_identity' }));
    expect(other.sessionsSoFar()).toBe(0);
  });

  it('corrects a clock that is wrong', async () => {
    const { relay, wires } = smallAccount();
    const wrong = fastClock(20, -3 * 60 * 60_000);
    const made = await peerOf(relay, wires.openSocket, { clock: wrong });
    const { client, states } = made.start();
    onTestFinished(() => client.close());
    await until(() => expect(client.state.state).toBe('online'));
    expect(states.map((state) => ('reason' in state ? state.reason : state.state))).toContain('clock_skew');
    const { seq } = await client.publish('log', event(1));
    expect(seq).toBe(1);
    expect(Math.abs((relay.log('log')[0]?.sent_at ?? 0) - (relay.log('log')[0]?.received_at ?? 0))).toBeLessThan(
      60_000,
    );
  });

  it('asks for another token when it was refused before it began', async () => {
    const { peer, wires } = smallAccount();
    const asked: boolean[] = [];
    wires.setDown(true);
    const { client } = await peer({
      tokens: async ({ refresh }) => {
        asked.push(refresh);
        return 'token';
      },
    });
    await until(() => expect(asked.length).toBeGreaterThan(1));
    wires.setDown(false);
    await until(() => expect(client.state.state).toBe('online'));
    expect(asked.slice(0, 2)).toEqual([false, true]);
  });

  it('is refused when the peer gets no token any more', async () => {
    const { peer } = smallAccount();
    const { client } = await peer({
      tokens: async () => {
        throw new RelayError('token_refused', 'no');
      },
    });
    await until(() => expect(client.state).toMatchObject({ state: 'refused', reason: 'token_refused' }));
  });

  it('is tried again when its token is not to be had for a reason that nobody knows', async () => {
    const { peer } = smallAccount();
    let tries = 0;
    const { client, states } = await peer({
      tokens: async () => {
        tries += 1;
        if (tries === 1) throw new TypeError('the store of tokens is locked');
        return 'token';
      },
    });
    await until(() => expect(client.state.state).toBe('online'));
    expect(states).toContainEqual(expect.objectContaining({ state: 'offline', reason: 'unreachable' }));
  });

  it('is one, however often it is asked for', async () => {
    const { peer, relay } = smallAccount();
    const { client } = await peer();
    client.connect();
    await until(() => expect(client.state.state).toBe('online'));
    client.connect();
    client.wake();
    await client.publish('log', event(1));
    expect(relay.sessionsSoFar()).toBe(1);
  });

  it.each([
    ['comes', async () => 'token'],
    ['is refused', () => Promise.reject(new RelayError('token_refused', 'no'))],
  ])('stays closed if it was closed before its token %s', async (_what, answer) => {
    const { peer, relay } = smallAccount();
    let give = () => {};
    const given = new Promise<void>((resolve) => {
      give = resolve;
    });
    const { client, states } = await peer({ tokens: () => given.then(answer) });
    client.close();
    client.wake();
    give();
    await given;
    await new Promise((resolve) => setImmediate(resolve));
    expect([states.at(-1), relay.sessionsSoFar()]).toEqual([{ state: 'offline', reason: 'closed' }, 0]);
  });

  it('notices silence, and begins anew', async () => {
    let isSilent = false;
    const clock = patientClock();
    const { peer, relay } = smallAccount(clock, { deliver: () => (isSilent ? [] : [0]) });
    const { client, states } = await peer();
    await until(() => expect(client.state.state).toBe('online'));
    isSilent = true;
    client.wake();
    clock.forward(10_000);
    await until(() => expect(states).toContainEqual(expect.objectContaining({ state: 'offline', reason: 'silent' })));
    isSilent = false;
    await until(() => expect(client.state.state).toBe('online'));
    expect(relay.sessionsSoFar()).toBe(2);
  });

  it('is followed by the next one before it ends, without a loss and without going offline', async () => {
    const clock = patientClock();
    const { peer, relay } = smallAccount(clock);
    const [one, two] = [await peer(), await peer()];
    const seen = reading(two.client, 'log');
    const sent: number[] = [];
    const publish = async () => {
      sent.push(sent.length);
      await one.client.publish('log', event(sent.length - 1));
    };
    for (let sessions = 2; sessions < 10; sessions += 2) {
      await publish();
      await until(() => expect([relay.sessionsSoFar(), clock.isQuiet()]).toEqual([sessions, true]));
      clock.forward(relay.terms.sessionMs - 5 * 60_000);
      while (relay.sessionsSoFar() < sessions + 2) await publish();
    }
    await until(() => expect(seen.payloads).toEqual(sent));
    expect(relay.log('log').map(({ payload }) => payload)).toEqual(sent);
    for (const { states } of [one, two]) expect(states.map(({ state }) => state)).toEqual(['online']);
  });

  it('changes its keys when it is time, and goes on', async () => {
    const clock = patientClock();
    const { peer, relay } = smallAccount(clock);
    relay.terms.rekeyAfterSeconds = 60;
    const [one, two] = [await peer(), await peer()];
    const seen = reading(two.client, 'log');
    let sent = 0;
    const publish = async () => {
      sent += 1;
      await one.client.publish('log', event(sent));
    };
    const rekeyings = () => relay.heard.filter(({ frame }) => frame.type === 'rekey').length;
    for (let times = 1; times <= 5; times += 1) {
      await publish();
      await until(() => expect([relay.sessionsSoFar(), clock.isQuiet()]).toEqual([2, true]));
      clock.forward(61_000);
      while (rekeyings() < 2 * times) await publish();
      await until(() => expect(relay.generations()).toEqual([times, times]));
    }
    await until(() => expect(seen.events).toHaveLength(sent));
    expect(relay.sessionsSoFar()).toBe(2);
  });

  it('reads what overtook the answer to new keys, once it has them', async () => {
    const clock = patientClock();
    const { peer, relay } = smallAccount(clock);
    const one = await peer();
    await until(() => expect(one.client.state.state).toBe('online'));
    relay.terms.rekeyAfterSeconds = 60;
    const two = await peer();
    const seen = reading(two.client, 'log');
    await one.client.publish('log', event(1));
    await until(() => expect([seen.payloads, clock.isQuiet()]).toEqual([[1], true]));
    const release = relay.holdFrames('rekeyed');
    clock.forward(61_000);
    await until(() => expect([...relay.generations()].sort()).toEqual([0, 1]));
    for (const number of [2, 3, 4]) await one.client.publish('log', event(number));
    const asked = relay.heard.length;
    release();
    await until(() => expect(seen.payloads).toEqual([1, 2, 3, 4]));
    expect(relay.heard.slice(asked)).toEqual([]);
    expect(relay.sessionsSoFar()).toBe(2);
  });

  it('begins anew if the answer to new keys is lost', async () => {
    const clock = patientClock();
    const { peer, relay } = smallAccount(clock);
    relay.terms.rekeyAfterSeconds = 60;
    const { client } = await peer();
    await until(() => expect(client.state.state).toBe('online'));
    relay.loseFrames('rekeyed');
    clock.forward(61_000);
    await until(() => expect(relay.generations()).toEqual([1]));
    clock.forward(16_000);
    await until(() => expect(relay.sessionsSoFar()).toBe(2));
    await client.publish('log', event(1));
  });

  it('ends when it is closed: what waits is told so, and stays in the outbox', async () => {
    const { peer, wires, relay } = smallAccount();
    const { client, kept, start } = await peer();
    wires.setDown(true);
    await until(() => expect(client.state.state).toBe('offline'));
    const waiting = client.publish('log', event(1)).catch((error: unknown) => error);
    await until(async () => expect(await kept.outbox.all()).toHaveLength(1));
    client.close();
    expect(await waiting).toMatchObject({ code: 'closed' });
    expect(client.state).toMatchObject({ state: 'offline', reason: 'closed' });
    await expect(client.publish('log', event(2))).rejects.toMatchObject({ code: 'closed' });
    wires.setDown(false);
    start();
    await until(() => expect(relay.log('log').map(({ payload }) => payload)).toEqual([1]));
    await until(async () => expect(await kept.outbox.all()).toHaveLength(0));
  });
});
