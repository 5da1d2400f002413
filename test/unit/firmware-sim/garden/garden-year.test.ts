import { Garden, type GardenOptions } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { DAY } from '../../../support/garden.ts';

const START = Date.UTC(2026, 0, 1);
const zones = [0, 1, 2, 3].map((zone) => ({
  mlPerMinute: 6_000 + 2_000 * zone,
  schedule: { hour: 5, minute: 20 * zone, amount: { minutes: 15 } },
}));
const year = (options: Partial<GardenOptions> = {}) => {
  const garden = new Garden({ startsAt: START, seed: 7, zones, ...options });
  garden.advanceTo(START + 365 * DAY);
  return garden;
};

describe('a year of a garden', () => {
  const { truth } = year();

  it('is the same for the same seed, and another one for another', () => {
    expect(year().truth).toEqual(truth);
    expect(year({ seed: 8 }).truth.days).not.toEqual(truth.days);
  });

  it('waters unless it freezes or has rained, and every millilitre of a run is one of its day', () => {
    const skips = truth.skips.map(({ why }) => why);
    expect(new Set(skips)).toEqual(new Set(['freeze', 'rain']));
    expect(truth.runs.length + skips.length).toBe(4 * 365);
    const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
    const byRun = sum(truth.runs.map(({ millilitres }) => millilitres));
    expect(sum(truth.days.flatMap(({ zones: each }) => each))).toBeCloseTo(byRun, 3);
    const rain = sum(truth.days.map(({ rainMm }) => rainMm));
    expect(rain).toBeGreaterThan(400);
    expect(rain).toBeLessThan(1_200);
  });

  it('is warmer near the equator, and has its winter in June in the south', () => {
    const frosts = (latitude: number) => year({ latitude }).truth.skips.filter(({ why }) => why === 'freeze');
    expect(frosts(5)).toEqual([]);
    const months = new Set(frosts(-45).map(({ at }) => new Date(at).getUTCMonth()));
    expect(months.has(6)).toBe(true);
    expect(months.has(0)).toBe(false);
  });
});
