import { randomUUID } from 'node:crypto';
import type { CarriedCommand, HubSynced } from '@autowatering/firmware-sim';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createRelayFunction } from '../../../src/relay-function.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { type HubGarden, hubGarden } from '../../support/hub-garden.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { relay: createRelayFunction });
});
afterAll(() => backend.stop());

let home: HubGarden;
afterEach(() => home.leave());

const soon = { timeout: 15_000 };
const DAY = 24 * 60 * 60_000;

/** A hub beside a device with a garden, and its owner's phone somewhere else. */
async function hubAtWork() {
  home = await hubGarden(backend, 1, (now) => ({
    // Where it never freezes: a device refuses to water in frost, and a test runs on any day of the year.
    ...{ startsAt: now - 3 * DAY, seed: 11, latitude: 10 },
    zones: [{ schedule: { hour: 5, minute: 0, amount: { minutes: 5 } } }],
  }));
  const carried: CarriedCommand[] = [];
  const synced: HubSynced[] = [];
  const hub = await home.startHub(undefined, {
    onCarried: (one) => carried.push(one),
    onSynced: (one) => synced.push(one),
  });
  await home.register(hub);
  await expect.poll(() => hub.state, soon).toBe('online');
  const { serial, garden } = home.first;
  const { headers } = home;
  const path = `/devices/${serial}/commands`;
  return {
    ...{ hub, carried, synced, garden, serial },
    async give(intent: object): Promise<string> {
      const { status, body } = await backend.call(path, { headers, body: { command_key: randomUUID(), intent } });
      if (status !== 201) throw new Error(`giving: ${JSON.stringify(body)}`);
      return body.command.command_id;
    },
    state: async (id: string) => (await backend.call(`${path}/${id}`, { headers })).body.command,
  };
}

describe('a hub beside a garden', () => {
  it('reads it, and opens and shuts a valve for a phone that is far away', async () => {
    const { hub, carried, synced, garden, give, state } = await hubAtWork();
    await hub.round();
    expect(synced).toMatchObject([{ failures: [], sessions: 0 }]);
    expect(synced[0]?.rowBytes).toBeGreaterThan(1_000);
    expect(hub.untold).toBe(0);

    const water = await give({ kind: 'water', channel: 2, minutes: 10 });
    await expect.poll(() => carried.map(({ state }) => state), soon).toEqual(['done']);
    expect(await state(water)).toMatchObject({ state: 'done', reason: null });
    // The master valve opens first.
    const { time } = home.first;
    await time.advance(2_000);
    garden?.advanceTo(garden.startsAt + time.now());
    expect(garden?.shown()).toMatchObject({ openValves: [2], running: { channel: 2, mode: 'minutes', value: 10 } });

    const stop = await give({ kind: 'stop' });
    await expect.poll(() => carried.map(({ state }) => state), soon).toEqual(['done', 'done']);
    expect(await state(stop)).toMatchObject({ state: 'done' });
    expect(garden?.shown()).toMatchObject({ openValves: [], running: undefined });
  });

  it('says why the device refused', async () => {
    const { hub, carried, give, state } = await hubAtWork();
    const pause = await give({ kind: 'pause' });
    await hub.round();
    await expect.poll(() => carried, soon).toHaveLength(1);
    expect(await state(pause)).toMatchObject({ state: 'refused', reason: 'nothing_to_do' });
  });
});
