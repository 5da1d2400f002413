import { createHash } from 'node:crypto';
import {
  confusionOf,
  drawHousehold,
  FAULT_NAMES,
  joinSummaries,
  liveYear,
  NO_YEARS,
  summaryOf,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';

const MAY = Date.UTC(2026, 4, 1);
const days = 30;

const lived = (seed: number, fault: Parameters<typeof drawHousehold>[0]['fault'] = 'none') =>
  liveYear({
    household: drawHousehold({ seed, startsAt: MAY, days, fault, habit: 'daily' }),
    ...{ days, serial: `device-${seed}` },
  });

describe('a month of a device', () => {
  it.each(FAULT_NAMES)('with %s leaves evidence in what its phones read', async (fault) => {
    const months = await Promise.all([1, 2, 3].map((seed) => lived(seed, fault)));
    for (const { failures, planted } of months)
      expect([failures, planted]).toMatchObject([0, [{ fault: { kind: fault } }]]);
    expect(months.some(({ planted }) => planted[0]?.hasLeftEvidence)).toBe(true);
  });

  it('is the same for the same seed, and what phones watched is within two percent of the truth', async () => {
    const [one, other] = await Promise.all([lived(7), lived(7)]);
    expect(other).toEqual(one);
    const all = [one, ...(await Promise.all([8, 9, 10].map((seed) => lived(seed))))];
    const { watched } = all.map(summaryOf).reduce(joinSummaries, NO_YEARS);
    expect(watched.runs).toBeGreaterThan(5);
    expect(Math.abs(watched.saidMl - watched.trueMl)).toBeLessThan(0.02 * watched.trueMl);
  });

  it('is the same, to the byte, however fast it is generated (a change of the model changes this hash)', async () => {
    const years = await Promise.all([21, 22, 23].map((seed) => lived(seed, seed === 22 ? 'lost_clock' : 'leak')));
    // The last digit of a cosine is the engine's own affair.
    const whole = (_: string, value: unknown) => (typeof value === 'number' ? Math.round(value) : value);
    const hash = createHash('sha256').update(JSON.stringify(years, whole)).digest('hex');
    expect(hash.slice(0, 16)).toBe('14a3c45b4f27c8ac');
  });

  it('counts an insight as found, explained or false by what was planted when', async () => {
    const year = await lived(2, 'dead_sensor');
    const [record] = year.planted;
    if (record === undefined) throw new Error('nothing was planted');
    const { from } = record.fault;
    const said = { channel: null, since: from + 60_000, until: null };
    const insights = [
      { ...said, kind: 'silent_sensor' },
      // It happens at the same time; a sensor that is dead repeats nothing.
      { ...said, kind: 'flat_line' },
      { ...said, kind: 'dry_spell' },
    ];
    const confusion = confusionOf([{ year, insights }]);
    expect(confusion).toMatchObject({
      ...{ planted: { dead_sensor: 1 }, found: { dead_sensor: 1 }, falseAlarms: { flat_line: 1 } },
      matrix: { dead_sensor: { silent_sensor: 1, flat_line: 1 } },
    });
  });
});
