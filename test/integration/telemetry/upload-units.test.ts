import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEPTHS, deviceHistory, type MeasurementKind } from '../../../tools/build/bench/garden/device-history.ts';
import { writtenItems } from '../../../tools/build/bench/garden/written-items.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { DAY, HOUR } from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';

/** The counter of the route's rate limit is not the upload's own. */
const COUNTER = 1;
const KINDS = ['rain_hourly', 'environment_hourly', 'rain_daily', 'environment_daily'] as const;

describe('the write units of uploads', () => {
  let backend: Backend;
  let units = 0;
  beforeAll(async () => {
    backend = await startBackend({ LOG_LEVEL: 'DEBUG' });
    backend.dynamo.observe((operation, body) => {
      for (const item of writtenItems(operation, body)) units += item.units;
    });
  });
  afterAll(() => backend.stop());

  it('are at most 60 for a first sync of 3,877 rows, of which each as an item would be one, and 8 a day from then on', async () => {
    const garden = await newGarden(backend);
    // Long enough after 2024 for five years of days to be trusted.
    backend.clock.forward(Date.UTC(2029, 4, 8, 15) - backend.clock.now());
    const history = deviceHistory(17);
    // Over a month's edge, where two months are counted.
    const syncs = 12;
    const start = backend.clock.now() - syncs * DAY;
    let next: Readonly<Record<string, { readonly from_at: number | null }>> = {};
    const sync = async (now: number) => {
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
        units: units - COUNTER,
      };
    };

    const first = await sync(start);
    expect(first.stored).toBe(first.rows);
    expect(first.rows).toBeGreaterThan(3_870);
    expect(first.units).toBeLessThanOrEqual(60);

    const daily: number[] = [];
    for (let day = 1; day <= syncs; day += 1) daily.push((await sync(start + day * DAY)).units);
    expect(daily.reduce((sum, one) => sum + one, 0) / syncs).toBeLessThanOrEqual(8);
  });
});
