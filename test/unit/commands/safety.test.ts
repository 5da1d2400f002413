import { describe, expect, it } from 'vitest';
import { newCommandId } from '../../../src/commands/model/command.ts';
import { isSameIntent } from '../../../src/commands/model/give.ts';
import { exceeded, STANDARD_LIMITS } from '../../../src/commands/model/safety.ts';
import { systemRandomness } from '../../../src/platform/ids.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const HOUR = 3_600_000;
const limits = { longestRunMinutes: 30, longestRunLitres: 100, minutesADay: 50, litresADay: 150 };
const water = (amount: { minutes: number } | { litres: number }) => ({ kind: 'water', channel: 2, ...amount }) as const;
const usage = (minutes: number, litres: number, hoursAgo: number, channel = 2) => ({
  ...{ commandId: newCommandId(systemRandomness, NOW), channel, at: NOW - hoursAgo * HOUR, minutes, litres },
});

describe('what an account allows', () => {
  it.each([
    [{ minutes: 31 }, 'longest_run_minutes', 30],
    [{ litres: 101 }, 'longest_run_litres', 100],
  ] as const)('is not exceeded by a run of %j', (amount, limit, most) => {
    expect(exceeded(water(amount), [], limits, NOW)).toEqual({ limit, most, used: 0 });
    const schedule = { hour: 6, minute: 0, amount, enabled: true };
    expect(exceeded({ ...plan, schedule: { ...plan.schedule, ...schedule } }, [], limits, NOW)).toMatchObject({
      limit,
    });
    const off = { ...plan.schedule, ...schedule, enabled: false };
    expect(exceeded({ ...plan, schedule: off }, [], limits, NOW)).toBeUndefined();
  });

  it('counts a zone’s last 24 hours, in the unit in which it was watered', () => {
    const used = [usage(25, 0, 2), usage(0, 60, 3), usage(50, 150, 25), usage(50, 150, 1, 3)];
    expect(exceeded(water({ minutes: 25 }), used, limits, NOW)).toBeUndefined();
    expect(exceeded(water({ minutes: 26 }), used, limits, NOW)).toEqual({ limit: 'minutes_a_day', most: 50, used: 25 });
    expect(exceeded(water({ litres: 90 }), used, limits, NOW)).toBeUndefined();
    expect(exceeded(water({ litres: 91 }), used, limits, NOW)).toEqual({ limit: 'litres_a_day', most: 150, used: 60 });
  });

  it('is nothing that a stop could exceed', () => {
    expect(exceeded({ kind: 'stop' }, [usage(999, 999, 1)], STANDARD_LIMITS, NOW)).toBeUndefined();
  });
});

const plan = {
  kind: 'set_schedule',
  channel: 2,
  schedule: { repeats: 'weekly', days: 127, hour: 7, minute: 0, amount: { minutes: 10 }, enabled: true },
} as const;

describe('a repeated request', () => {
  it('wants the same if each field is the same, in whatever order', () => {
    expect(isSameIntent(water({ minutes: 5 }), { minutes: 5, channel: 2, kind: 'water' })).toBe(true);
    expect(isSameIntent(water({ minutes: 5 }), water({ minutes: 6 }))).toBe(false);
    expect(isSameIntent(water({ minutes: 5 }), water({ litres: 5 }))).toBe(false);
    expect(isSameIntent(plan, { ...plan, schedule: { ...plan.schedule, amount: { minutes: 11 } } })).toBe(false);
  });
});
