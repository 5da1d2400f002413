import { describe, expect, it } from 'vitest';
import type { Row, RowKind } from '../../../src/telemetry/evidence.ts';
import { measuredIn, WEATHER_MEASURES } from '../../../src/telemetry/reading/weather-rows.ts';
import { rainDay, rainHour, startRow, weatherDay, weatherHour } from '../../support/garden-rows.ts';

const AT = Date.parse('2026-06-01T00:00:00Z');
const row = (kind: RowKind, bytes: Uint8Array, isClockLost = false): Row => ({
  ...{ kind, at: AT, isClockLost, readAt: AT, bytes },
});
const ROWS = {
  watering: row('watering', startRow(AT)),
  rain_hourly: row('rain_hourly', rainHour(AT, 120)),
  rain_daily: row('rain_daily', rainDay(AT, 300)),
  environment_hourly: row('environment_hourly', weatherHour(AT, -250, 5_500, 101_325)),
  environment_daily: row('environment_daily', weatherDay(AT, 2_000)),
} as const;
const same = (value: number) => ({ value, min: value, max: value });

describe('what rows measured', () => {
  it.each([
    ['rain', 'rain_hourly', same(1.2)],
    ['rain', 'rain_daily', same(3)],
    ['temperature', 'environment_hourly', same(-2.5)],
    ['humidity', 'environment_hourly', same(55)],
    ['pressure', 'environment_hourly', same(1_013.25)],
    ['temperature', 'environment_daily', { value: 20, min: 15, max: 27 }],
    ['humidity', 'environment_daily', { value: 55, min: 40, max: 80 }],
    ['pressure', 'environment_daily', same(1_010)],
  ] as const)('is %s from %s rows, in its unit and with its range', (measure, kind, values) => {
    expect(measuredIn([ROWS[kind]], measure)).toEqual([{ at: AT, isWhole: true, ...values }]);
  });

  it.each([
    ['rain', ['rain_hourly', 'rain_daily']],
    ['temperature', ['environment_hourly', 'environment_daily']],
    ['humidity', ['environment_hourly', 'environment_daily']],
    ['pressure', ['environment_hourly', 'environment_daily']],
  ] as const)('has no %s from rows of other kinds', (measure, kinds) => {
    const all = Object.values(ROWS);
    expect(measuredIn(all, measure)).toEqual(kinds.flatMap((kind) => measuredIn([ROWS[kind]], measure)));
    expect(measuredIn(all, measure)).toHaveLength(kinds.length);
  });

  it('leaves out rows of a lost clock', () => {
    const lost = Object.values(ROWS).map((one) => ({ ...one, isClockLost: true }));
    expect(WEATHER_MEASURES.flatMap((measure) => measuredIn(lost, measure))).toEqual([]);
  });

  it('leaves out rows whose bytes are damaged', () => {
    const damaged = Object.values(ROWS).map((one) => ({ ...one, bytes: one.bytes.subarray(0, 3) }));
    expect(WEATHER_MEASURES.flatMap((measure) => measuredIn(damaged, measure))).toEqual([]);
  });

  it('is not of a whole day where hours of rain are missing', () => {
    const bytes = Uint8Array.from(ROWS.rain_daily.bytes);
    // The last byte is the share of the day that was measured.
    bytes[bytes.length - 1] = 99;
    expect(measuredIn([row('rain_daily', bytes)], 'rain')).toMatchObject([{ value: 3, isWhole: false }]);
  });
});
