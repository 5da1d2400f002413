import { describe, expect, it } from 'vitest';
import { periodOf } from '../../../src/plants/usage/usage-period.ts';

describe('the period a use counts for', () => {
  it.each([
    ['2026-11-21T00:00:00.000Z', '2026-11', '21', '2026-11-22T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['2026-11-21T23:59:59.999Z', '2026-11', '21', '2026-11-22T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', '2026-12', '31', '2027-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2028-02-28T12:00:00.000Z', '2028-02', '28', '2028-02-29T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    // Already the next day in Berlin; days are UTC.
    ['2026-11-20T23:30:00.000Z', '2026-11', '20', '2026-11-21T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ])('at %s is month %s and day %s', (now, month, day, dayEnds, monthEnds) => {
    const period = periodOf(Date.parse(now));
    expect(period).toMatchObject({ month, day });
    expect(new Date(period.dayEnds).toISOString()).toBe(dayEnds);
    expect(new Date(period.monthEnds).toISOString()).toBe(monthEnds);
  });
});
