import { randomUUID } from 'node:crypto';
import type { CarriedCommand, HubOptions, HubSynced } from '@autowatering/firmware-sim';
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
const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;

/** Of a zone that has watered before, so that its history tells whether it did again. */
const WATER = { kind: 'water', channel: 0, minutes: 10 };

/** A hub beside a device with a garden, and its owner's phone somewhere else. */
async function hubAtWork(more: Partial<HubOptions> = {}) {
  home = await hubGarden(backend, 1, (now) => ({
    // No frost near the equator, and no rain that counts, whatever day it is.
    ...{ startsAt: now - 3 * DAY, seed: 11, latitude: 10 },
    zones: [
      { isRainAware: false, schedule: { hour: 5, minute: 0, amount: { minutes: 5 } } },
      {},
      { isRainAware: false },
    ],
  }));
  const carried: CarriedCommand[] = [];
  const synced: HubSynced[] = [];
  const hub = await home.startHub(undefined, {
    ...more,
    onCarried: (one) => carried.push(one),
    onSynced: (one) => synced.push(one),
  });
  await home.register(hub);
  await expect.poll(() => hub.state, soon).toBe('online');
  const { serial, garden, time, link, device } = home.first;
  if (garden === undefined) throw new Error('the device has a garden');
  const before = garden.truth.runs.length;
  const { headers } = home;
  const path = `/devices/${serial}/commands`;
  return {
    ...{ hub, carried, synced, garden, serial, link, device },
    async give(intent: object): Promise<string> {
      const { status, body } = await backend.call(path, { headers, body: { command_key: randomUUID(), intent } });
      if (status !== 201) throw new Error(`giving: ${JSON.stringify(body)}`);
      return body.command.command_id;
    },
    /** Time goes by for everybody. */
    async later(ms: number): Promise<void> {
      backend.clock.forward(ms);
      await time.advance(ms);
      garden.advanceTo(garden.startsAt + time.now());
    },
    /** The zone's runs since then that were no schedule's, with the one that goes on. */
    runs: () => {
      const { running } = garden.shown();
      return [
        ...garden.truth.runs
          .slice(before)
          .filter(({ trigger }) => trigger === 'manual')
          .map(({ end }) => end),
        ...(running === undefined ? [] : ['running']),
      ];
    },
    audit: async (id: string): Promise<string[]> =>
      (await backend.call(`${path}/${id}`, { headers })).body.audit.map(({ step }: { step: string }) => step),
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

  it('that lost the answer looks before it writes again: the run goes on', async () => {
    const { hub, carried, give, state, link, later, runs } = await hubAtWork();
    link.loseAnswerTo('def1');
    const water = await give(WATER);
    await expect.poll(() => carried.map(({ state }) => state), soon).toEqual(['queued']);
    expect(await state(water)).toMatchObject({ state: 'queued', may_have_been_written: true });
    await later(20 * SECOND);
    await hub.round();
    expect(await state(water)).toMatchObject({ state: 'done', reason: null });
    await later(3_600 * SECOND);
    expect(runs()).toEqual(['completed']);
  });

  it('finds in the history that a run began which a reboot has ended, and does not begin another', async () => {
    const { hub, carried, give, state, link, device, later, runs } = await hubAtWork();
    link.loseAnswerTo('def1');
    const water = await give(WATER);
    await expect.poll(() => carried.map(({ state }) => state), soon).toEqual(['queued']);
    await later(10 * SECOND);
    device.reset();
    await later(10 * SECOND);
    await hub.round();
    expect(await state(water)).toMatchObject({ state: 'done', reason: null });
    expect(runs()).toEqual(['power_lost']);
  });

  it('writes again what a reboot has wiped from the device’s queue', async () => {
    const { hub, carried, give, state, link, device, later, runs } = await hubAtWork();
    link.loseAnswerTo('def1');
    const water = await give(WATER);
    await expect.poll(() => carried.map(({ state }) => state), soon).toEqual(['queued']);
    // Before the device looked at its queue.
    device.reset();
    await later(20 * SECOND);
    expect(runs()).toEqual([]);
    await hub.round();
    expect(await state(water)).toMatchObject({ state: 'done', reason: null });
    // The hub stayed and watched it.
    expect(runs()).toEqual(['completed']);
  });

  it('that dies after its write is followed by another one, which looks, and the owner learns that water flows', async () => {
    let dying: Promise<void> | undefined;
    const { give, state, later, runs, audit } = await hubAtWork({
      onWritten: () => {
        dying ??= home.hubs[0]?.stop();
      },
    });
    const water = await give(WATER);
    await expect.poll(() => home.hubs[0]?.state, soon).toBe('off');
    await dying;
    const carried: CarriedCommand[] = [];
    const second = await home.startHub(undefined, { onCarried: (one) => carried.push(one) });
    await home.register(second, 'Balcony');
    await second.round();
    expect(await state(water)).toMatchObject({ state: 'leased' });
    await later(61 * SECOND);
    await second.round();
    await expect.poll(() => carried.map(({ state }) => state), soon).toEqual(['done']);
    expect(await audit(water)).toEqual(['create', 'take', 'lease_over', 'take', 'prove']);
    await later(3_600 * SECOND);
    expect(runs()).toEqual(['completed']);
  });

  it('says why the device refused', async () => {
    const { hub, carried, give, state } = await hubAtWork();
    const pause = await give({ kind: 'pause' });
    await hub.round();
    await expect.poll(() => carried, soon).toHaveLength(1);
    expect(await state(pause)).toMatchObject({ state: 'refused', reason: 'nothing_to_do' });
  });
});
