import { describe, expect, it } from 'vitest';
import { addHealth, HEALTH_COUNTS, healthOfDay, NO_HEALTH } from '../../../src/telemetry/health/device-day.ts';
import { DAY, HOUR } from '../../support/garden-evidence.ts';
import { alarmAt, hydraulicsAt, observed, statusAt } from '../../support/observed-garden.ts';

const START = Date.parse('2026-06-01T00:00:00Z');
const NOON = START + 12 * HOUR;
const health = (
  more: Parameters<typeof observed>[1],
  readTo: Parameters<typeof healthOfDay>[1]['readTo'] = {},
  dayStart = START,
) => healthOfDay(observed(dayStart + DAY - 1, more), { readTo }, dayStart);
const QUIET = { ...NO_HEALTH, device_days: 1 };

describe('the health of a day', () => {
  it('is a day without trouble where nothing was told', () => {
    expect(health({})).toEqual(QUIET);
    expect(health({ readings: [statusAt(NOON, 0), hydraulicsAt(NOON, 1)] })).toEqual(QUIET);
  });

  it('counts the day’s alarms of danger, and neither frost nor those of other days', () => {
    const readings = [
      ...[alarmAt(NOON, 2, 14), alarmAt(NOON + HOUR, 2, 15)],
      ...[alarmAt(NOON, 3, 0), alarmAt(START - HOUR, 2, 9), statusAt(START - HOUR, 0)],
    ];
    expect(health({ readings })).toEqual({ ...QUIET, alarms: 2, device_days_with_alarms: 1 });
  });

  it.each([
    ['a hard lock of a zone', { level: 2, reason: 1, since: NOON }, 1],
    ['a lock of everything', { globalLevel: 1, globalReason: 3, since: NOON }, 1],
    ['a soft lock of a zone, which is tried again', { level: 1, reason: 1, since: NOON, retry: NOON + HOUR }, 0],
  ])('is locked or not by %s', (_, told, locked) => {
    expect(health({ readings: [hydraulicsAt(NOON, 1, told)] })).toMatchObject({ device_days_locked: locked });
  });

  it('counts the day’s reboots and the days since somebody was there before', () => {
    const reboots = [START - 1, START, NOON, START + DAY];
    expect(health({ reboots, readings: [statusAt(START - 5 * DAY, 0), statusAt(NOON, 0)] })).toEqual({
      ...QUIET,
      ...{ reboots: 2, days_unheard: 5 },
    });
  });

  it.each([
    ['no hours were ever read', {}, 0],
    ['rain was read on to the day before', { rain_hourly: START - DAY, environment_hourly: START - 9 * DAY }, 0],
    ['all hours read are older', { rain_hourly: START - DAY - 1 }, 1],
    ['the weather’s hours, the only ones, are older', { environment_hourly: START - 2 * DAY }, 1],
  ])('tells whether a sync broke off if %s', (_, readTo, failures) => {
    expect(health({}, readTo)).toMatchObject({ sync_failures: failures });
  });

  it('adds up over days, each count of its own', () => {
    const counts = (from: number) => ({
      ...{ device_days: from, device_days_with_alarms: from + 1, device_days_locked: from + 2, alarms: from + 3 },
      ...{ reboots: from + 4, days_unheard: from + 5, sync_failures: from + 6 },
    });
    const sum = addHealth(counts(10), counts(200));
    expect(HEALTH_COUNTS.map((name) => sum[name])).toEqual([0, 1, 2, 3, 4, 5, 6].map((by) => 210 + 2 * by));
    expect(addHealth(sum, NO_HEALTH)).toEqual(sum);
  });
});
