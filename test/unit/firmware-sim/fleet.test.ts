import { createHash } from 'node:crypto';
import {
  BackendError,
  type DeviceRecord,
  drawLot,
  FATES,
  type Fate,
  FleetDevice,
  PagePool,
  runFleet,
  seededRandom,
  singleRelease,
  summarizeFleet,
  USUAL_MIX,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { bytesInUse } from '../../../tools/cli/heap.ts';
import { DEV_KEY, firmware, GOOD } from '../../support/firmware.ts';

const OLD = firmware(GOOD['1.0.0']);
const NEW = firmware(GOOD['1.1.0']);
const backend = singleRelease({
  version: '1.1.0',
  image: NEW,
  sha256: createHash('sha256').update(NEW).digest('hex'),
});

function fleetOf(fates: readonly Fate[], seed = 1, pool = new PagePool()): readonly FleetDevice[] {
  const random = seededRandom(seed);
  return fates.map((fate, index) => {
    // The other app has its own tests and takes longer to compute.
    const lot = { ...drawLot(USUAL_MIX, random), fate, profile: 'own' as const };
    return new FleetDevice({ serial: `${index}`, lot, seed: seed + index, pool, firmware: OLD, keys: [DEV_KEY] });
  });
}

const run = (devices: readonly FleetDevice[]) => runFleet(devices, { backendOf: () => backend, concurrency: 8 });
const endings = (records: readonly DeviceRecord[]) =>
  records.map(({ visits, endVersion }) => [visits.at(-1)?.outcome, endVersion]);

describe('a fleet', () => {
  const EXPECTED: Readonly<Record<Fate, readonly [outcome: string, version: string]>> = {
    goes_well: ['confirmed', '1.1.0.7'],
    rejects: ['refused', '1.0.0.1'],
    rolls_back: ['rolled_back', '1.0.0.1'],
    hangs: ['rolled_back', '1.0.0.1'],
    vanishes: ['lost', '1.0.0.1'],
    comes_back: ['confirmed', '1.1.0.7'],
    loses_power: ['confirmed', '1.1.0.7'],
  };

  it.each(FATES)("ends according to each device's fate: %s", async (fate) => {
    expect(endings(await run(fleetOf([fate, fate, fate])))).toEqual([EXPECTED[fate], EXPECTED[fate], EXPECTED[fate]]);
  });

  it('continues where it stopped when phones return another day', async () => {
    const [record] = await run(fleetOf(['comes_back'], 4));
    expect(record?.visits.map(({ outcome }) => outcome)).toEqual(['lost', 'confirmed']);
    const [first, second] = record?.visits ?? [];
    expect((second?.startMs ?? 0) - (first?.startMs ?? 0)).toBeGreaterThan(10 * 60 * 60 * 1000);
  });

  it('is the same with the same seed and differs with another', async () => {
    const fates: readonly Fate[] = ['goes_well', 'comes_back', 'loses_power', 'goes_well'];
    const first = await run(fleetOf(fates, 5));
    expect(await run(fleetOf(fates, 5))).toEqual(first);
    expect(await run(fleetOf(fates, 6))).not.toEqual(first);
  });

  it('adds up to a summary', async () => {
    const fates: readonly Fate[] = ['goes_well', 'goes_well', 'rejects', 'vanishes'];
    const records = await run(fleetOf(fates));
    const summary = summarizeFleet(records);
    expect(summary).toMatchObject({
      devices: 4,
      outcomes: { confirmed: 2, refused: 1, lost: 1 },
      fates: { goes_well: { confirmed: 2 }, rejects: { refused: 1 }, vanishes: { lost: 1 } },
      versions: { before: { '1.0.0.1': 4 }, after: { '1.0.0.1': 2, '1.1.0.7': 2 } },
      visits: 4,
      phases: { uploading: { count: 4 }, confirming: { count: 2 } },
    });
    expect(summary.timeline[0]?.versions).toEqual({ '1.0.0.1': 4 });
    expect(summary.timeline.at(-1)?.versions).toEqual(summary.versions.after);
    const { p50 = 0, p90 = 0, max = 0 } = summary.phases['uploading'] ?? {};
    expect([p50 <= p90, p90 <= max]).toEqual([true, true]);
    expect(Object.values(summary.updates).reduce((sum, { count }) => sum + count, 0)).toBe(2);
  });

  it('continues when the backend is down for a while and owners return', async () => {
    let calls = 0;
    const shaky = {
      ...backend,
      async latest(serial: string, version: string) {
        calls += 1;
        if (calls % 2 === 1) throw new BackendError('/ota/latest answered 503');
        return backend.latest(serial, version);
      },
    };
    const devices = fleetOf(['goes_well', 'goes_well']);
    const records = await runFleet(devices, { backendOf: () => shaky, concurrency: 1 });
    expect(records.map(({ visits }) => visits.map(({ outcome }) => outcome))).toEqual([
      ['backend_unavailable', 'confirmed'],
      ['backend_unavailable', 'confirmed'],
    ]);
    expect(records[0]?.visits[0]?.reason).toContain('answered 503');
  });

  it('that already runs the offered version is left alone', async () => {
    const pool = new PagePool();
    const lot = { ...drawLot(USUAL_MIX, seededRandom(1)), fate: 'goes_well' as const };
    const device = new FleetDevice({ serial: '1', lot, seed: 1, pool, firmware: NEW, keys: [DEV_KEY] });
    const [record] = await run([device]);
    expect(record?.visits).toMatchObject([{ outcome: 'nothing_offered', reason: 'up_to_date', phases: [] }]);
    expect(record?.updatedAtMs).toBeUndefined();
  });

  it('takes less than 20 KB of memory for each idle device, new or updated', async () => {
    const pool = new PagePool();
    const fates = Array.from({ length: 200 }, (): Fate => 'goes_well');
    // Shared data exists before the measurement and stays.
    const others = fleetOf(fates.slice(0, 80), 9, pool);
    await run(others);
    const before = bytesInUse();
    const devices = fleetOf(fates, 1, pool);
    expect((bytesInUse() - before) / devices.length).toBeLessThan(20 * 1_024);
    const records = await run(devices);
    expect((bytesInUse() - before) / devices.length).toBeLessThan(20 * 1_024);
    expect([records.length, devices.length, others.length]).toEqual([200, 200, 80]);
  });
});
