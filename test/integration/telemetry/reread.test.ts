import { READER_VERSION } from '@autowatering/device-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monthAfter, monthOf, startOfMonth } from '../../../src/telemetry/index.ts';
import { createReread } from '../../../src/telemetry/reread/reread.ts';
import { devicePartition } from '../../../src/telemetry/table-keys.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { base64, DAY, HOUR, rainDay, rainHour, startRow } from '../../support/garden-rows.ts';
import { type Garden, newGarden } from '../../support/gardens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({}, { isOpenToTools: true });
});
afterAll(() => backend.stop());

const OLDER = 'an older reader';

async function wateredGarden() {
  const garden = await newGarden(backend);
  const now = backend.clock.now();
  // Far from a month's edges: what is near one touches two months.
  const start = startOfMonth(monthAfter(monthOf(now), -1)) + 14 * DAY;
  const { body } = await garden.upload({
    time_zone: 'Europe/Bucharest',
    reads: [
      { kind: 'watering', channel: 1, read_at: now, rows: base64(startRow(start + 9 * HOUR, 1, 10)) },
      { kind: 'rain_daily', read_at: now, rows: base64(rainDay(start, 300)) },
      { kind: 'rain_hourly', read_at: now, rows: base64(rainHour(start, 120)) },
    ],
  });
  expect(body).toMatchObject({ ok: true, refused_count: 0 });
  return garden;
}

async function itemsOf({ uid, hwId }: Garden) {
  const items = await backend.scan('garden');
  return items
    .filter(({ partition }) => partition === devicePartition(uid, hwId))
    .sort((one, other) => (String(one['record']) < String(other['record']) ? -1 : 1));
}

/** Changes all items of a device whose records begin so. */
async function change(garden: Garden, prefix: string, fields: Readonly<Record<string, unknown>>): Promise<void> {
  for (const item of await itemsOf(garden)) {
    if (!String(item['record']).startsWith(prefix)) continue;
    await backend.tables.put({ TableName: backend.services.config.tables.garden, Item: { ...item, ...fields } });
  }
}

/**
 * @param failsAfter so many writes of single items
 * @param beforeWrite is told whether several items are written together
 */
async function reread(
  { uid, hwId }: Garden,
  { isAll = false, failsAfter = Number.POSITIVE_INFINITY, beforeWrite = async (_: boolean): Promise<void> => {} } = {},
) {
  const documents = await backend.services.documents();
  let puts = 0;
  const put: typeof documents.put = async (input) => {
    puts += 1;
    if (puts > failsAfter) throw new Error('the power went out');
    await beforeWrite(false);
    return documents.put(input);
  };
  const transactWrite: typeof documents.transactWrite = async (input) => {
    await beforeWrite(true);
    return documents.transactWrite(input);
  };
  const { randomness, config } = backend.services;
  const place = { garden: config.tables.garden, documents: { ...documents, put, transactWrite }, randomness };
  return createReread({ ...place, now: () => backend.clock.now() })(uid, hwId, isAll);
}

const contents = (items: Awaited<ReturnType<typeof itemsOf>>) =>
  items.map(({ record, data, reader_version: version }) => ({ record, data, version }));

describe('reading a device’s rows again', () => {
  it('checks what an older reader wrote and counts its months anew, once', async () => {
    const garden = await wateredGarden();
    const before = contents(await itemsOf(garden));
    expect(await reread(garden)).toEqual({ items: before.length, changed: 0, months: 0 });
    await change(garden, '', { reader_version: OLDER });
    await change(garden, 'month#', { data: Uint8Array.of(9) });
    const first = await reread(garden);
    expect(first).toMatchObject({ items: before.length, changed: before.length });
    expect(first.months).toBeGreaterThan(0);
    const after = contents(await itemsOf(garden));
    expect(after).toEqual(before);
    expect(new Set(after.map(({ version }) => version))).toEqual(new Set([READER_VERSION]));
    expect(await reread(garden)).toEqual({ items: before.length, changed: 0, months: 0 });
  });

  it('reads also what the present reader wrote if it is told to', async () => {
    const garden = await wateredGarden();
    const before = await itemsOf(garden);
    expect(await reread(garden, { isAll: true })).toMatchObject({ changed: before.length });
    expect(contents(await itemsOf(garden))).toEqual(contents(before));
  });

  it('goes on where it was stopped', async () => {
    const garden = await wateredGarden();
    const before = contents(await itemsOf(garden));
    await change(garden, '', { reader_version: OLDER });
    await expect(reread(garden, { failsAfter: 1 })).rejects.toThrow('the power went out');
    expect(await reread(garden)).toMatchObject({ changed: before.length - 1 });
    expect(contents(await itemsOf(garden))).toEqual(before);
  });

  it('leaves to an upload what that wrote meanwhile, and looks again at a month', async () => {
    const garden = await wateredGarden();
    const before = await itemsOf(garden);
    await change(garden, '', { reader_version: OLDER });
    let isFirst = true;
    const counts = await reread(garden, {
      beforeWrite: async (together) => {
        if (!together) await change(garden, 'days#', { revision: 100, reader_version: READER_VERSION });
        else if (isFirst) {
          isFirst = false;
          await change(garden, 'rows#', { revision: 100 });
        }
      },
    });
    expect(counts.months).toBe(1);
    expect(contents(await itemsOf(garden))).toEqual(contents(before));
  });

  it('stops at an item that is damaged, names it, and leaves it as it is', async () => {
    const garden = await wateredGarden();
    await change(garden, 'rows#', { reader_version: OLDER, data: Uint8Array.of(1, 2, 3) });
    const before = await itemsOf(garden);
    await expect(reread(garden)).rejects.toThrow(/The item \S+ of device \S+ can’t be read/);
    expect(await itemsOf(garden)).toEqual(before);
  });

  it('leaves months alone of which some evidence may have expired', async () => {
    const garden = await wateredGarden();
    await change(garden, 'rows#', { reader_version: OLDER });
    const before = await itemsOf(garden);
    backend.clock.forward(1_000 * DAY);
    try {
      expect(await reread(garden)).toEqual({ items: before.length, changed: 0, months: 0 });
    } finally {
      backend.clock.forward(-1_000 * DAY);
    }
    expect(await itemsOf(garden)).toEqual(before);
  });

  it('refuses what is no account or device', async () => {
    const { uid, hwId } = await newGarden(backend);
    const documents = await backend.services.documents();
    const { randomness, config, clock } = backend.services;
    const run = createReread({ garden: config.tables.garden, documents, randomness, now: clock.now });
    await expect(run(uid, 'no device', false)).rejects.toThrow('of no device');
    await expect(run('', hwId, false)).rejects.toThrow('of no device');
  });
});
