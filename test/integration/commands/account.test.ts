import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { commandAccounts } from '../../../src/commands/index.ts';
import { createRelayFunction } from '../../../src/relay-function.ts';
import { type MeteringProxy, startMeteringProxy } from '../../../tools/build/bench/routes/metering-proxy.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { commandGarden, taskSeen } from '../../support/command-garden.ts';
import { livePeer } from '../../support/live-peer.ts';
import { peersOf } from '../../support/peers.ts';
import { uidOf } from '../../support/relay-account.ts';

let backend: Backend;
let meter: MeteringProxy;
beforeAll(async () => {
  meter = await startMeteringProxy(inject('dynamoDbUrl'));
  backend = await startBackend({ AWS_ENDPOINT_URL_DYNAMODB: meter.url }, { relay: createRelayFunction });
});
afterAll(async () => {
  await backend.stop();
  await meter.stop();
});

const WATER = { kind: 'water', channel: 2, minutes: 10 };
const running = [taskSeen(2, { minutes: 10 })];

describe('an account', () => {
  it('takes its commands along, with who did what, and leaves none behind when it is removed', async () => {
    const garden = await commandGarden(backend);
    const uid = uidOf(garden.owner.uid);
    const hub = await garden.carrier();
    const id = await garden.given(WATER);
    await hub.lease(id);
    await hub.report(id, 1, 'seen', { observed: running });
    await garden.given({ ...WATER, channel: 3 });
    await backend.call('/commands/settings', { headers: garden.owner.headers, body: { litres_a_day: 90 } });

    const accounts = commandAccounts(backend.services);
    const { limits, devices } = await accounts.read(uid);
    expect(limits.litresADay).toBe(90);
    expect(devices).toMatchObject([{ serial: garden.serial, isComplete: true }]);
    expect(devices[0]?.commands.map(({ state, audit }) => [state, audit.at(-1)?.by])).toEqual([
      ['queued', 'user'],
      ['done', `peer:${hub.peerId}`],
    ]);
    const left = async () =>
      (await backend.scan('garden')).filter((item) => {
        const text = JSON.stringify(item);
        return text.includes(garden.owner.uid) && text.includes('command');
      });
    expect((await left()).length).toBeGreaterThan(3);
    await accounts.remove(uid);
    expect(await left()).toEqual([]);
  });
});

/** Every request with a limit counts itself twice: for the caller and for the address. */
const COUNTED = 2;

describe('a command without peers to tell', () => {
  it('costs at most 3 write units to give, 1 to take and 6 to end', async () => {
    const garden = await commandGarden(backend);
    await garden.cancel(await garden.given(WATER));
    const { headers } = garden.owner;
    const carrier = { carrier_id: 'the-phone-itself' };
    const priced = async <T>(work: () => Promise<T>) => {
      const before = meter.total().writeUnits;
      const result = await work();
      return { result, units: meter.total().writeUnits - before - COUNTED };
    };
    const { result: id, units: toGive } = await priced(() => garden.given(WATER));
    const where = `${garden.path}/${id}`;
    const { units: toTake } = await priced(() =>
      backend.call(`${where}/lease`, { headers, body: { ...carrier, attempt_id: 'the-only-try' } }),
    );
    const seen = { ...carrier, fence: 1, outcome: 'seen', observed: running };
    const { units: toEnd } = await priced(() => backend.call(`${where}/report`, { headers, body: seen }));
    expect((await garden.read(id)).command.state).toBe('done');
    expect(toGive).toBeLessThanOrEqual(3);
    expect(toTake).toBeLessThanOrEqual(1);
    expect(toEnd).toBeLessThanOrEqual(6);
    expect(Math.min(toGive, toTake, toEnd)).toBeGreaterThan(0);
  });
});

describe('a hub in a session', () => {
  it('gets a command as soon as it is given', async () => {
    const garden = await commandGarden(backend);
    const peers = peersOf(backend);
    const peer = await peers.peer(garden.owner);
    const live = await livePeer(backend, peer, (await peers.tokens(peer)).access);
    live.send({ type: 'subscribe', id: 1, streams: '*' });
    await live.until('subscribed');
    const id = await garden.given(WATER);
    const { stream, event } = await live.until('event');
    expect([stream, event.type, event.key]).toEqual(['commands', 'command.changed', `${garden.serial}/${id}`]);
    expect(event.payload).toMatchObject({ command_id: id, serial: garden.serial, intent: WATER, state: 'queued' });
    await live.close();
  });
});
