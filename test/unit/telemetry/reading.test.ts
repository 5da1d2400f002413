import { EnvironmentDaily, RainDaily, RainHourly } from '@autowatering/device-data';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../../src/telemetry/evidence.ts';
import { boundsOfPeriod } from '../../../src/telemetry/reading/periods.ts';
import { summarize } from '../../../src/telemetry/reading/summary.ts';
import { thin } from '../../../src/telemetry/reading/thin.ts';
import { flowSeries, litresByHour, litresByPeriod } from '../../../src/telemetry/reading/water-series.ts';
import { measuredIn } from '../../../src/telemetry/reading/weather-rows.ts';
import { dayPoints, longPoints } from '../../../src/telemetry/reading/weather-series.ts';
import { localDayNumber, startOfDay, type ZoneTimeline } from '../../../src/telemetry/rollups/local-day.ts';
import { rollUp } from '../../../src/telemetry/rollups/roll-up.ts';
import { runsOf } from '../../../src/telemetry/runs/runs.ts';
import {
  DAY,
  evidenceOf,
  HOUR,
  MINUTE,
  MORNING,
  skippedForRain,
  startedFor,
  stopped,
  watched,
} from '../../support/garden-evidence.ts';

const BUCHAREST: ZoneTimeline = [{ since: 0, zone: 'Europe/Bucharest' }];
const row = (kind: Row['kind'], at: number, bytes: Uint8Array): Row => ({
  kind,
  at,
  isClockLost: false,
  readAt: at,
  bytes,
});
const rainHour = (at: number, mm: number) =>
  row('rain_hourly', at, RainHourly.write({ hour_epoch: at / 1000, mm_x100: mm * 100, pulses: 1, quality: 100 }));
const rainDay = (at: number, mm: number, completeness_pct = 100) =>
  row(
    'rain_daily',
    at,
    RainDaily.write({
      ...{ day_epoch_utc: at / 1000, total_x100: mm * 100, max_hour_x100: mm * 50, active_hours: 2, completeness_pct },
    }),
  );
const weatherDay = (at: number, celsius: number) =>
  row(
    'environment_daily',
    at,
    EnvironmentDaily.write({
      ...{ date_yyyymmdd: 20_260_601, t_avg_x100: celsius * 100, t_min_x100: 500, t_max_x100: 3_000 },
      ...{ h_avg_x100: 5_500, h_min_x100: 4_000, h_max_x100: 8_000, p_avg_pa: 101_000, samples: 24 },
    }),
  );

describe('a thinned series', () => {
  const values = fc.array(fc.option(fc.integer({ min: -50, max: 50 })), { maxLength: 400 });
  const points = values.map((list) =>
    list.map((value, at) => ({ at, min: value, max: value === null ? null : value + (at % 7) })),
  );

  it('keeps order, ends, and every extreme, in as many points as were asked for', () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 4, max: 60 }), (all, most) => {
        const kept = thin(all, most);
        expect(kept.length).toBeLessThanOrEqual(most);
        expect(kept).toEqual(all.filter((point) => kept.includes(point)));
        expect([kept[0], kept.at(-1)]).toEqual([all[0], all.at(-1)]);
        const known = (list: typeof all) =>
          list.flatMap(({ min, max }) => (min === null || max === null ? [] : [[min, max] as const]));
        const range = (list: typeof all) => [
          Math.min(...known(list).map(([min]) => min)),
          Math.max(...known(list).map(([, max]) => max)),
        ];
        expect(range([...kept])).toEqual(range(all));
        if (all.length <= most) expect(kept).toBe(all);
      }),
    );
  });
});

describe('the owner’s periods', () => {
  it('follow each other without gaps, in every zone and over moves', () => {
    const zone = fc.constantFrom('Europe/Bucharest', 'America/St_Johns', 'Pacific/Apia', 'America/Santiago', 'UTC');
    const timeline = fc.tuple(zone, zone, fc.integer({ min: 14_000, max: 21_000 })).map(
      ([first, second, day]): ZoneTimeline => [
        { since: 0, zone: first },
        { since: day * DAY + 17 * MINUTE, zone: second },
      ],
    );
    fc.assert(
      fc.property(timeline, fc.integer({ min: 13_990, max: 21_010 }), (zones, day) => {
        const start = startOfDay(zones, day);
        expect(localDayNumber(zones, start)).toBeGreaterThanOrEqual(day);
        expect(localDayNumber(zones, start - 1)).toBeLessThan(day);
        expect(startOfDay(zones, day + 1)).toBeGreaterThanOrEqual(start);
      }),
    );
  });

  it.each([
    ['2026-03-29', 23],
    ['2026-10-25', 25],
    ['2026-06-01', 24],
    ['2026-03', 31 * 24 - 1],
    ['2026-12', 31 * 24],
    ['2026', 365 * 24],
  ])('%s lasts %i hours', (period, hours) => {
    const { at, until } = boundsOfPeriod(BUCHAREST, period);
    expect((until - at) / HOUR).toBe(hours);
  });
});

describe('rain', () => {
  const dayStart = Date.parse('2026-10-24T21:00:00Z');
  const hours = (count: number) => Array.from({ length: count }, (_, hour) => rainHour(dayStart + hour * HOUR, 0.5));
  const points = (rows: readonly Row[]) =>
    dayPoints(
      'rain',
      {
        hours: measuredIn(
          rows.filter(({ kind }) => kind === 'rain_hourly'),
          'rain',
        ),
        days: measuredIn(
          rows.filter(({ kind }) => kind === 'rain_daily'),
          'rain',
        ),
      },
      BUCHAREST,
    );

  it('of a day of the owner’s is measured if every hour of it is there, however many it has', () => {
    expect(points(hours(25))).toMatchObject([{ period: '2026-10-25', at: dayStart, value: 12.5, basis: 'measured' }]);
    expect(points(hours(24))).toMatchObject([{ value: 12, basis: 'estimated' }]);
  });

  it('of a day with hours missing is that of the device’s day, as an estimate', () => {
    const deviceDay = rainDay(Date.parse('2026-10-25T00:00:00Z'), 14);
    expect(points([...hours(24), deviceDay])).toMatchObject([{ value: 14, basis: 'estimated' }]);
    expect(points([...hours(25), deviceDay])).toMatchObject([{ value: 12.5, basis: 'measured' }]);
  });

  it('of a month is measured if every day was, and whole', () => {
    const start = Date.parse('2026-06-01T00:00:00Z');
    const days = Array.from({ length: 30 }, (_, day) => rainDay(start + day * DAY, 1));
    const ofMonth = (rows: readonly Row[]) => longPoints('rain', measuredIn(rows, 'rain'), 'month', BUCHAREST);
    expect(ofMonth(days)).toMatchObject([{ period: '2026-06', value: 30, basis: 'measured' }]);
    expect(ofMonth(days.slice(1))).toMatchObject([{ value: 29, basis: 'estimated' }]);
    expect(ofMonth([...days.slice(1), rainDay(start, 1, 90)])).toMatchObject([{ value: 30, basis: 'estimated' }]);
  });

  it('from a lost clock is in no series', () => {
    expect(measuredIn([{ ...rainHour(MORNING, 3), isClockLost: true }], 'rain')).toEqual([]);
  });
});

const FULL = [
  ...[watched(1, MORNING), watched(1, MORNING + 30 * MINUTE, { minutes: 5, millilitres: 15_000 })],
  ...[startedFor(1, MORNING + DAY, 10), stopped(1, MORNING + DAY + 5 * MINUTE, 4)],
  ...[startedFor(2, MORNING + 2 * DAY, 10), skippedForRain(2, MORNING + 3 * DAY)],
];
const runs = runsOf(evidenceOf(...FULL));
const month = { from: Date.parse('2026-06-01T00:00:00Z'), to: Date.parse('2026-07-01T00:00:00Z') };
const { days, startsByHour } = rollUp(runs, BUCHAREST, month);

describe('litres', () => {
  it('by day say whether they are measured, estimated or not known', () => {
    expect(litresByPeriod(days, 'day', BUCHAREST)).toMatchObject([
      { period: '2026-06-01', value: 35, basis: 'measured', litres: { measured: 35, estimated: 0 } },
      { period: '2026-06-02', value: 8, basis: 'estimated', litres: { measured: 0, estimated: 8 } },
      { period: '2026-06-03', value: null, basis: 'unknown', litres: { runsWithoutVolume: 1 } },
      { period: '2026-06-04', value: 0, basis: 'measured' },
    ]);
    expect(litresByPeriod(days, 'year', BUCHAREST)).toMatchObject([{ period: '2026', value: 43, basis: 'unknown' }]);
  });

  it('are not known of a month in which rain skipped a run and nobody measured the others', () => {
    const unseen = runsOf(evidenceOf(startedFor(1, MORNING, 10), skippedForRain(1, MORNING + DAY)));
    const { days: counted } = rollUp(unseen, BUCHAREST, month);
    expect(litresByPeriod(counted, 'month', BUCHAREST)).toMatchObject([
      { value: null, basis: 'unknown', litres: { runsWithoutVolume: 1 } },
    ]);
  });

  it('by hour are in the hour of the owner’s in which the run began', () => {
    const kathmandu = [{ since: 0, zone: 'Asia/Kathmandu' }];
    expect(litresByHour(runs, kathmandu)[0]).toMatchObject({ at: MORNING - 45 * MINUTE, value: 20 });
    expect(litresByHour(runs, BUCHAREST)[0]).toMatchObject({ at: MORNING, value: 35 });
  });

  it('a minute are those of runs that were watched whole', () => {
    expect(flowSeries(runs, 'month', BUCHAREST)).toMatchObject([{ period: '2026-06', value: 2.333, min: 2, max: 3 }]);
  });
});

describe('the summary', () => {
  it('tells what the app shows', () => {
    const dry = [3, 4, 5, 7, 8].map((day) => rainDay(month.from + day * DAY, 0));
    const weather = [
      rainDay(month.from, 4),
      rainDay(month.from + DAY, 2),
      ...dry,
      weatherDay(month.from, 18),
      weatherDay(month.to, 21),
    ];
    expect(summarize(days, startsByHour, weather)).toMatchObject({
      water: { runs: 4, skips: 1, successShare: 2 / 3, meanMl: 14_333 },
      channels: [
        { channel: 1, runs: 3, totals: { measuredMl: 35_000, estimatedMl: 8_000 } },
        { channel: 2, runs: 1, successShare: null, meanMl: null },
      ],
      ...{ busiestChannel: 1, busiestHour: 9 },
      rain: { millimetres: 6, meanPerDay: 0.86, mostInAnHour: 2, rainyDays: 2, dryDays: 5, longestDrySpell: 3 },
      temperature: { min: 5, average: 19.5, max: 30 },
      humidity: { min: 40, average: 55, max: 80 },
    });
    expect(summarize([], [], [])).toMatchObject({
      busiestChannel: null,
      busiestHour: null,
      rain: null,
      temperature: null,
    });
  });
});
