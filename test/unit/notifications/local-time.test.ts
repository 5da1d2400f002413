import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isTimeZone,
  isWithin,
  localMinutes,
  minutesOf,
  nextLocalTime,
} from '../../../src/notifications/settings/local-time.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const ZONES = ['UTC', 'Europe/Bucharest', 'America/St_Johns', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'Pacific/Apia'];
const moments = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2030, 0, 1) });
const minutes = fc.integer({ min: 0, max: 24 * 60 - 1 });

describe('the next local time', () => {
  it('is later, at most a day and a change of the clocks away, and what the clocks show unless they jump over it', () => {
    fc.assert(
      fc.property(moments, minutes, fc.constantFrom(...ZONES), (now, wanted, zone) => {
        const next = nextLocalTime(now, zone, wanted);
        expect(next).toBeGreaterThan(now);
        expect(next - now).toBeLessThanOrEqual(DAY_MS + 2 * 60 * 60 * 1000);
        const shown = localMinutes(next, zone);
        const before = localMinutes(next - 60_000, zone);
        // The clocks show it, or jump from before it to after it at that moment.
        expect(shown === wanted || (before < wanted && wanted < shown)).toBe(true);
      }),
    );
  });

  it('is the moment of the jump when clocks are put forward, and the first time when they show it twice', () => {
    const at = (from: string, time: string) =>
      new Date(nextLocalTime(Date.parse(from), 'Europe/Bucharest', minutesOf(time))).toISOString();
    expect(at('2026-03-28T20:00:00Z', '03:30')).toBe('2026-03-29T01:00:00.000Z');
    expect(at('2026-10-24T20:00:00Z', '03:30')).toBe('2026-10-25T00:30:00.000Z');
    // Between both times the second one is the next: a night that ends then does not last another day.
    expect(at('2026-10-25T00:45:00Z', '03:30')).toBe('2026-10-25T01:30:00.000Z');
  });
});

describe('hours of the day', () => {
  it('may go over midnight', () => {
    const [from, to] = [minutesOf('22:00'), minutesOf('06:30')];
    expect(
      ['21:59', '22:00', '00:00', '06:29', '06:30', '12:00'].map((time) => isWithin(minutesOf(time), from, to)),
    ).toEqual([...[false, true, true, true, false, false]]);
  });

  it('are in a zone that exists', () => {
    expect(['Europe/Bucharest', 'UTC', 'Europe/Nowhere', ''].map(isTimeZone)).toEqual([true, true, false, false]);
  });
});
