import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEPTHS, deviceHistory, type MeasurementKind } from '../../../tools/build/bench/garden/device-history.ts';
import { writtenItems } from '../../../tools/build/bench/garden/written-items.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { DAY, HOUR } from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';

const KINDS = ['rain_hourly', 'environment_hourly', 'rain_daily', 'environment_daily'] as const;

describe('the write units of uploads', () => {
  let backend: Backend;
  /** Of every write to any table, but for the account's note of the day, which any request leaves. */
  let units = 0;
  let daysNoted = 0;
  beforeAll(async () => {
    backend = await startBackend({ LOG_LEVEL: 'DEBUG' });
    backend.dynamo.observe((operation, body) => {
      if (body.includes('last_active')) daysNoted += 1;
      else for (const item of writtenItems(operation, body)) units += item.units;
    });
  });
  afterAll(() => backend.stop());

  it('are at most 60 for a first sync of 3,877 rows, of which each as an item would be one, and 8 a day from then on', async () => {
    const garden = await newGarden(backend);
    // Long enough after 2024 for five years of days to be trusted.
    // Over a month's edge, where two months are counted.
    backend.clock.forward(Date.UTC(2029, 3, 26, 15) - backend.clock.now());
    const syncs = 12;
    const history = deviceHistory(17);
    let next: Readonly<Record<string, { readonly from_at: number | null }>> = {};
    const sync = async () => {
      const now = backend.clock.now();
      const from = (kind: MeasurementKind) => next[kind]?.from_at ?? now - DEPTHS[kind] * DAY;
      const measured = KINDS.map((kind) => history.measurements(kind, from(kind), now - HOUR, now));
      const all = [...history.watering(now), ...measured];
      units = 0;
      const answer = await garden.upload({
        time_zone: 'Europe/Bucharest',
        reads: all.map(({ count: _count, ...read }) => read),
      });
      expect(answer.body.refused).toEqual([]);
      next = answer.body.next;
      return {
        stored: answer.body.stored,
        rows: all.reduce((sum, { count }) => sum + count, 0),
        units,
      };
    };

    const first = await sync();
    daysNoted = 0;
    expect(first.stored).toBe(first.rows);
    expect(first.rows).toBeGreaterThan(3_870);
    expect(first.units).toBeLessThanOrEqual(60);

    const daily: number[] = [];
    for (let day = 1; day <= syncs; day += 1) {
      backend.clock.forward(DAY);
      daily.push((await sync()).units);
    }
    expect(daysNoted).toBe(syncs);
    expect(daily.reduce((sum, one) => sum + one, 0) / syncs).toBeLessThanOrEqual(8);
  });
});
