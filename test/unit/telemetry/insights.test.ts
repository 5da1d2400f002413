import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nothingObserved } from '../../../src/telemetry/insights/observed.ts';
import { insightsIn } from '../../../src/telemetry/insights/rules.ts';
import {
  DAY,
  HOUR,
  MINUTE,
  MORNING,
  type Piece,
  skippedForFrost,
  skippedForRain,
  startedFor,
  watched,
  withLostClock,
} from '../../support/garden-evidence.ts';
import {
  alarmAt,
  flowAt,
  hydraulicsAt,
  observed,
  rainDays,
  rainHours,
  sensorAt,
  statusAt,
  taskAt,
  valveAt,
  valvesAt,
  warningsIn,
  weatherDays,
  weatherHours,
} from '../../support/observed-garden.ts';

const NOW = MORNING + 30 * DAY;
const MIDNIGHT = Date.parse('2026-06-01T00:00:00Z');
const days = (count: number, from = MORNING) => Array.from({ length: count }, (_, day) => from + day * DAY);
const found = (kind: string, garden: Parameters<typeof insightsIn>[0]) =>
  insightsIn(garden).filter((insight) => insight.kind === kind);

const season = (day: number) => 16 - 8 * Math.cos((2 * Math.PI * day) / 365);
const YEAR = 365 * 24;
/** The same for all years: making them is what takes long. */
const yearOfWeather = {
  weatherHours: weatherHours(
    MIDNIGHT - 365 * DAY,
    Array.from({ length: YEAR }, (_, hour) => season(hour / 24) + 4 * Math.sin(hour / 3.8)),
  ),
  rainHours: rainHours(MIDNIGHT - 365 * DAY, YEAR),
};

describe('without evidence', () => {
  it('says nothing of a device of which nothing is known', () => {
    fc.assert(
      fc.property(fc.nat(NOW), fc.nat(400 * DAY), (from, length) => {
        expect(insightsIn(nothingObserved(from, from + length))).toEqual([]);
      }),
    );
  });

  it('warns of nothing in a healthy year, however often phones come by', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(1_000), (every, seed) => {
        const random = (index: number) => Math.abs(Math.sin(index * 7919 + seed));
        const year = days(365, MORNING - 365 * DAY);
        const watering: Piece[] = year.flatMap((day, index) => {
          const isSummer = season(index) > 14;
          if (random(index) > 0.7) return [skippedForRain(1, day)];
          const minutes = isSummer ? 20 : 10;
          const millilitres = Math.round(minutes * 2_000 * (0.97 + 0.06 * random(index + 0.5)));
          return [
            startedFor(1, day, minutes),
            ...(index % every === 0 ? [watched(1, day, { minutes, millilitres })] : []),
          ];
        });
        const visits = year.filter((_, index) => index % every === 0).map((day) => day + 30 * MINUTE);
        const readings = visits.flatMap((at) => [
          ...[statusAt(at, 0), alarmAt(at, 0, 0), valvesAt(at, 0), flowAt(at + MINUTE, 0), sensorAt(at, true)],
          ...[0, 1, 2, 3].map((channel) => hydraulicsAt(at, channel, { noFlowRuns: 2 })),
        ]);
        const rows = watering.map((piece) =>
          'bytes' in piece ? { ...piece, readAt: visits.find((at) => at > piece.at) ?? MORNING } : piece,
        );
        const garden = observed(MORNING, {
          ...{ watering: rows, readings, from: MORNING - 365 * DAY },
          ...yearOfWeather,
          rainDays: rainDays(
            MIDNIGHT - 365 * DAY,
            year.map((_, index) => (random(index) > 0.7 ? 4 : 0)),
          ),
        });
        expect(warningsIn(garden)).toEqual([]);
      }),
      { numRuns: 6 },
    );
  });
});

describe('a leak', () => {
  it.each([
    ['the alarm for flow with all valves shut', [alarmAt(NOW - DAY, 2, 14)]],
    ['the alarm of the static test', [alarmAt(NOW - DAY, 6, 5)]],
    [
      'a lock of everything for it',
      [hydraulicsAt(NOW - DAY, 0, { globalLevel: 2, globalReason: 4, since: NOW - 2 * DAY })],
    ],
    ['the status', [statusAt(NOW - DAY, 2)]],
    [
      'a meter that turns while a phone sees all valves shut',
      [valvesAt(NOW - DAY, 0), ...[1, 2, 3].map((minute) => flowAt(NOW - DAY + minute * MINUTE, 3))],
    ],
  ])('is told by %s', (_, readings) => {
    expect(found('leak', observed(NOW, { readings }))).toMatchObject([
      { severity: 'critical', until: null, channel: null, isEstimate: false },
    ]);
  });

  it('is one while it is told of, however often, and over when the device says so', () => {
    const readings = [...days(6, NOW - 10 * DAY).map((day) => alarmAt(day, 2, 14)), alarmAt(NOW - 4 * DAY, 2, 0)];
    const [insight, ...more] = found('leak', observed(NOW, { readings }));
    expect(more).toEqual([]);
    expect(insight).toMatchObject({ since: NOW - 10 * DAY, until: NOW - 4 * DAY, restsOn: ['alarm'] });
  });

  it('is not told by a meter that turns while one valve is known to be open', () => {
    const at = NOW - DAY;
    const turning = [1, 2, 3].map((minute) => flowAt(at + minute * MINUTE, 3));
    expect(
      warningsIn(observed(NOW, { readings: [valvesAt(at, 0), valveAt(at + 1_000, 2, true), ...turning] })),
    ).toEqual([]);
    const oneShut = [valvesAt(at, 4), valveAt(at + 1_000, 2, false), ...turning];
    expect(warningsIn(observed(NOW, { readings: oneShut }))).toEqual([]);
    const nothingRuns = [valvesAt(at, 0), taskAt(at + 1_000, 0xff), ...turning];
    expect(warningsIn(observed(NOW, { readings: nothingRuns }))).toEqual(['leak']);
  });

  it('is not what flows while or just after something is watered', () => {
    const at = NOW - DAY;
    const readings = [
      ...[valvesAt(at - 2 * MINUTE, 0), taskAt(at, 2), flowAt(at + MINUTE, 30), flowAt(at + 2 * MINUTE, 30)],
      ...[valvesAt(at + 3 * MINUTE, 0), flowAt(at + 3 * MINUTE + 5_000, 4), flowAt(at + 4 * MINUTE, 0)],
    ];
    expect(warningsIn(observed(NOW, { readings }))).toEqual([]);
  });
});

describe('no flow', () => {
  it('is of the zone whose counter rose between two visits', () => {
    const readings = [
      hydraulicsAt(NOW - 3 * DAY, 4, { noFlowRuns: 1 }),
      hydraulicsAt(NOW - DAY, 4, { noFlowRuns: 2, anomalyAt: NOW - 2 * DAY }),
    ];
    expect(found('no_flow', observed(NOW, { readings }))).toMatchObject([{ channel: 4, since: NOW - 2 * DAY }]);
  });

  it('is of a run that was watched with the meter standing still, if it ever turned', () => {
    const dry = watched(3, NOW - DAY, { millilitres: 0 });
    expect(warningsIn(observed(NOW, { watering: [dry] }))).toEqual([]);
    expect(warningsIn(observed(NOW, { watering: [watched(3, NOW - 5 * DAY), dry] }))).toEqual(['no_flow 3']);
  });

  it('is told once when the alarm, the status and the zone’s counter tell of the same, and without a zone otherwise', () => {
    const at = NOW - 2 * DAY;
    const zone = [
      hydraulicsAt(NOW - 3 * DAY, 4, { noFlowRuns: 1 }),
      hydraulicsAt(NOW - DAY, 4, { noFlowRuns: 2, anomalyAt: at }),
    ];
    const unnamed = [alarmAt(at, 1, 1), statusAt(at + MINUTE, 1)];
    expect(warningsIn(observed(NOW, { readings: [...zone, ...unnamed] }))).toEqual(['no_flow 4']);
    expect(warningsIn(observed(NOW, { readings: unnamed }))).toEqual(['no_flow']);
    const earlier = [alarmAt(NOW - 20 * DAY, 1, 1), ...zone];
    const told = found('no_flow', observed(NOW, { readings: earlier }));
    expect(told.map(({ channel }) => channel).sort()).toEqual([4, null]);
  });

  it('is not a run that was too short to fill the pipe', () => {
    const short = watched(3, NOW - DAY, { millilitres: 0, minutes: 1 });
    expect(warningsIn(observed(NOW, { watering: [watched(3, NOW - 5 * DAY), short] }))).toEqual([]);
  });

  it('is not an attempt that got water in the end, and ends with water', () => {
    const recovered = [alarmAt(NOW - DAY, 1, 1), alarmAt(NOW - DAY + MINUTE, 1, 0)];
    expect(warningsIn(observed(NOW, { readings: recovered }))).toEqual([]);
    const lock = { level: 1, reason: 2, since: NOW - 5 * DAY, retry: NOW - 5 * DAY + 15 * MINUTE };
    const readings = [hydraulicsAt(NOW - 5 * DAY + MINUTE, 2, lock)];
    const watering = [watched(2, NOW - 4 * DAY)];
    expect(found('no_flow', observed(NOW, { readings, watering }))).toMatchObject([
      { channel: 2, until: NOW - 4 * DAY + 10 * MINUTE },
    ]);
  });
});

describe('a lock', () => {
  it('says when the device tries again, and is over then', () => {
    const retry = NOW + 5 * HOUR;
    const readings = [hydraulicsAt(NOW - HOUR, 6, { level: 1, reason: 1, since: NOW - 2 * HOUR, retry })];
    const [insight] = found('lock', observed(NOW, { readings }));
    expect(insight).toMatchObject({
      ...{ channel: 6, since: NOW - 2 * HOUR, until: null },
      facts: { level: 'soft', reason: 'high-flow', retry_at: retry },
    });
    expect(found('lock', observed(retry + DAY, { readings }))).toMatchObject([{ until: retry }]);
  });

  it('that is hard lasts until somebody sees it gone', () => {
    const readings = [hydraulicsAt(NOW - 20 * DAY, 1, { level: 2, reason: 2, since: NOW - 20 * DAY })];
    expect(found('lock', observed(NOW, { readings }))).toMatchObject([{ channel: 1, until: null }]);
    const later = [...readings, hydraulicsAt(NOW - DAY, 1)];
    expect(found('lock', observed(NOW, { readings: later }))).toMatchObject([{ channel: 1, until: NOW - DAY }]);
  });
});

describe('a zone that takes more than its past', () => {
  const usual = days(20).map((day, index) => watched(5, day, { millilitres: 20_000 + (index % 5) * 200 }));
  const leaking = days(4, MORNING + 20 * DAY).map((day) => watched(5, day, { millilitres: 28_000 }));

  it('is told of by how much, after two runs in a row', () => {
    const one = observed(NOW, { watering: [...usual, ...leaking.slice(0, 1)] });
    expect(warningsIn(one)).toEqual([]);
    const [insight] = found('high_use', observed(NOW, { watering: [...usual, ...leaking] }));
    expect(insight).toMatchObject({ channel: 5, since: MORNING + 20 * DAY, facts: { runs: 4 } });
    expect(insight?.facts['percent']).toBeCloseTo(37, -1);
  });

  it('is one that the device stopped for it', () => {
    const readings = [hydraulicsAt(NOW - DAY, 3, { level: 2, reason: 1, since: NOW - 2 * DAY })];
    expect(warningsIn(observed(NOW, { readings }))).toEqual(['lock 3', 'high_use 3']);
    expect(warningsIn(observed(NOW, { readings: [alarmAt(NOW - DAY, 4, 2)] }))).toEqual(['high_use 2']);
  });

  it('is not one that is watered for longer', () => {
    const longer = days(4, MORNING + 20 * DAY).map((day) => watched(5, day, { minutes: 30, millilitres: 61_000 }));
    expect(warningsIn(observed(NOW, { watering: [...usual, ...longer] }))).toEqual([]);
  });
});

describe('the weather', () => {
  it('is frost at two degrees, or when the device refuses to water for it', () => {
    const nights = weatherHours(NOW - 5 * DAY, [6, 4, 2, -1, 3, 8]);
    expect(found('frost', observed(NOW, { weatherHours: nights }))).toMatchObject([{ facts: { coldest_celsius: -1 } }]);
    const watering = [skippedForFrost(1, NOW - DAY), skippedForFrost(2, NOW - 2 * DAY)];
    expect(warningsIn(observed(NOW, { watering }))).toEqual(['frost']);
  });

  it('is a flat line after longer than the device fills in', () => {
    const filledIn = weatherHours(NOW - 5 * DAY, [20, ...Array.from({ length: 25 }, () => 21), 22]);
    expect(warningsIn(observed(NOW, { weatherHours: filledIn }))).toEqual([]);
    const stuck = weatherHours(NOW - 5 * DAY, [20, ...Array.from({ length: 40 }, () => 21), 22]);
    expect(warningsIn(observed(NOW, { weatherHours: stuck }))).toEqual(['flat_line']);
    const flatDays = weatherDays(MIDNIGHT, [
      ...[
        [14, 25],
        [21, 21],
        [21, 21],
      ],
      [15, 24],
    ] as [number, number][]);
    expect(warningsIn(observed(NOW, { weatherDays: flatDays }))).toEqual(['flat_line']);
  });

  it('is missing when the sensor falls silent, and not where there never was one', () => {
    const silent = [1, 2, 3].map((day) => sensorAt(NOW - 4 * DAY + day * DAY, false));
    expect(warningsIn(observed(NOW, { readings: silent }))).toEqual([]);
    expect(warningsIn(observed(NOW, { readings: [sensorAt(NOW - 5 * DAY, true), ...silent] }))).toEqual([
      'silent_sensor',
    ]);
    const stale = [sensorAt(NOW - 5 * DAY, true), sensorAt(NOW - DAY, true, HOUR)];
    expect(warningsIn(observed(NOW, { readings: stale }))).toEqual(['silent_sensor']);
    const hours = weatherHours(NOW - 5 * DAY, [20, 19, 18]);
    expect(warningsIn(observed(NOW, { weatherHours: hours, rainHours: rainHours(NOW - 5 * DAY, 48) }))).toEqual([
      'silent_sensor',
    ]);
  });

  it('is a dry spell after two weeks, by a gauge that has measured rain', () => {
    const dry = Array.from({ length: 16 }, () => 0);
    const of = (millimetres: readonly number[]) =>
      found('dry_spell', observed(MIDNIGHT + 17 * DAY, { rainDays: rainDays(MIDNIGHT, millimetres) }));
    expect(of(dry)).toEqual([]);
    expect(of([5, ...dry])).toMatchObject([{ since: MIDNIGHT + DAY, until: null, facts: { days: 16 } }]);
    expect(of([5, ...dry.slice(0, 10), 3, ...dry.slice(0, 5)])).toEqual([]);
  });
});

describe('the device', () => {
  it('is told to have lost its clock, or to restart in mid-run', () => {
    const lost = withLostClock(startedFor(1, NOW - DAY, 10), NOW - DAY);
    expect(warningsIn(observed(NOW, { watering: [lost] }))).toEqual(['clock_lost']);
    const cut = [startedFor(1, NOW - DAY, 10), { rebootAt: NOW - DAY + 4 * MINUTE }];
    expect(warningsIn(observed(NOW, { watering: cut }))).toEqual(['interrupted']);
  });

  it('is unheard of after days, and longer than its owner usually stays away', () => {
    const visits = (times: readonly number[]) => times.map((at) => statusAt(at, 0));
    expect(warningsIn(observed(NOW, { readings: visits(days(22)) }))).toEqual([]);
    expect(found('unheard', observed(NOW, { readings: visits(days(19)) }))).toMatchObject([{ facts: { days: 12 } }]);
    const seldom = [0, 9, 18].map((day) => MORNING + day * DAY);
    expect(warningsIn(observed(NOW, { readings: visits(seldom) }))).toEqual([]);
  });

  it('is about to overwrite what nobody read yet', () => {
    const rows = days(14, MORNING).flatMap((day) =>
      [0, 1, 2, 3].map((hour) => ({ ...startedFor(2, day + hour * HOUR, 5), readAt: MORNING + 14 * DAY })),
    );
    const at = (day: number) => warningsIn(observed(MORNING + day * DAY, { watering: rows }));
    expect([at(16), at(20)]).toEqual([[], []]);
    expect(at(21)).toEqual(['history_at_risk 2']);
  });
});

describe('water', () => {
  it('is summed up by zone, with what was estimated and what is unknown', () => {
    const watering = [...days(10).map((day) => watched(1, day)), startedFor(1, MORNING + 11 * DAY, 10)];
    expect(found('water_use', observed(NOW, { watering }))).toMatchObject([
      { channel: 1, facts: { litres: 200, runs: 11, runs_without_volume: 1, latest_month: '2026-06' } },
    ]);
  });

  it('is said to be unknown, and not nothing, where nobody saw how much of it flowed', () => {
    const unseen = [startedFor(1, MORNING, 10), skippedForRain(1, MORNING + DAY), startedFor(1, NOW - HOUR, 10)];
    const [insight] = found('water_use', observed(NOW, { watering: unseen }));
    const facts = insight?.facts ?? {};
    expect(Object.keys(facts).filter((name) => name.startsWith('litres'))).toEqual([]);
    expect(facts).toMatchObject({
      ...{ runs: 2, runs_without_volume: 2, runs_without_volume_today: 1, runs_without_volume_in_7_days: 1 },
    });

    const seenOnce = [...unseen, watched(1, MORNING + 2 * DAY)];
    expect(found('water_use', observed(NOW, { watering: seenOnce }))[0]?.facts).toMatchObject({
      ...{ litres: 20, runs: 3, runs_without_volume: 2, runs_without_volume_today: 1 },
    });
    const idleToday = [watched(1, MORNING), startedFor(2, MORNING, 10)];
    expect(
      found('water_use', observed(NOW, { watering: idleToday })).map(({ facts }) => facts['litres_today']),
    ).toEqual([0, 0]);
  });

  it('that rain saved is the usual litres of the skipped runs, once a day', () => {
    const watering = [
      ...days(5).map((day) => watched(1, day)),
      ...days(3, MORNING + 6 * DAY).flatMap((day) => [0, 1, 2].map((hour) => skippedForRain(1, day + hour * HOUR))),
      skippedForFrost(1, MORNING + 10 * DAY),
    ];
    expect(found('saved', observed(NOW, { watering }))).toMatchObject([
      { channel: 1, isEstimate: true, facts: { litres: 60, skipped_runs: 3, usual_litres: 20 } },
    ]);
  });
});
