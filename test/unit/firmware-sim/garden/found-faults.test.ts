import { EnvironmentalData } from '@autowatering/device-data';
import { FAULT_NAMES, joinSummaries, NO_YEARS, summaryOf } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { confusionOf, litresOf, type SaidRun } from '../../../../firmware-sim/fleet/year/found-faults.ts';
import { hasLeftEvidence } from '../../../../firmware-sim/fleet/year/left-evidence.ts';
import type { DeviceYear, PlantedRecord } from '../../../../firmware-sim/fleet/year/live-year.ts';
import type { FaultName, PlantedFault } from '../../../../firmware-sim/garden/world/planted-fault.ts';
import { type GatheredRead, Gathering, type ReadingKind } from '../../../../firmware-sim/sync/gathering.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FROM = Date.UTC(2026, 5, 1);
const UNTIL = FROM + 5 * DAY;

const faultOf = (kind: FaultName): PlantedFault => {
  const when = { from: FROM, until: UNTIL };
  if (kind === 'leak') return { ...when, kind, mlPerMinute: 500 };
  if (kind === 'valve_stuck_open' || kind === 'valve_stuck_closed') return { ...when, kind, zone: 0 };
  return { ...when, kind };
};
const recordOf = (kind: FaultName, evident = true): PlantedRecord => ({
  ...{ fault: faultOf(kind), hasLeftEvidence: evident, overBy: UNTIL },
});
const yearOf = (changes: Partial<DeviceYear> = {}): DeviceYear => ({
  ...{ serial: 'one', habit: 'daily', days: 365, visits: 3, rows: 10, alarmsRaised: 2, alarmsRelayed: 1 },
  ...{ runs: [], sessions: [], watched: [], planted: [], failures: 1, refused: 0, ...changes },
});
const said = (kind: string, since = FROM, channel: number | null = null) => ({ kind, channel, since, until: null });

describe('the confusion of planted faults', () => {
  it.each([
    ...([
      ['leak', 'high_use'],
      ['valve_stuck_open', 'leak'],
      ['valve_stuck_closed', 'no_flow'],
    ] as const),
    ...([
      ['empty_tank', 'no_flow'],
      ['frozen_pipe', 'no_flow'],
      ['dead_sensor', 'silent_sensor'],
    ] as const),
    ...([
      ['stale_sensor', 'silent_sensor'],
      ['flat_line', 'flat_line'],
      ['lost_clock', 'clock_lost'],
    ] as const),
    ['reboots_in_mid_run', 'interrupted'] as const,
  ])('counts %s as found by %s', (fault, insight) => {
    const confusion = confusionOf([{ year: yearOf({ planted: [recordOf(fault)] }), insights: [said(insight)] }]);
    expect(confusion).toMatchObject({ deviceYears: 1, found: { [fault]: 1 }, falseAlarms: {}, worthALook: [] });
  });

  it('counts what was not found as missed, and names the device', () => {
    const confusion = confusionOf([{ year: yearOf({ planted: [recordOf('leak')] }), insights: [] }]);
    expect(confusion).toMatchObject({ found: {}, matrix: { leak: { nothing: 1 } }, worthALook: ['one: leak missed'] });
  });

  it('does not blame the backend for a fault that left no evidence', () => {
    const confusion = confusionOf([{ year: yearOf({ planted: [recordOf('leak', false)] }), insights: [] }]);
    expect(confusion).toMatchObject({ planted: { leak: 1 }, leftEvidence: {}, found: {}, worthALook: [] });
  });

  it('explains what a fault brings about; what only happens at the same time is a false alarm, as is one of nothing', () => {
    const of = (fault: FaultName, ...insights: ReturnType<typeof said>[]) =>
      confusionOf([{ year: yearOf({ planted: [recordOf(fault)] }), insights }]);
    expect(of('leak', said('lock'))).toMatchObject({ found: {}, matrix: { leak: { lock: 1 } }, falseAlarms: {} });
    expect(of('leak', said('flat_line'))).toMatchObject({ found: {}, falseAlarms: { flat_line: 1 } });
    expect(of('stale_sensor', said('frost'))).toMatchObject({ found: {}, falseAlarms: {} });
    const healthy = confusionOf([{ year: yearOf(), insights: [said('leak'), said('dry_spell')] }]);
    expect(healthy).toMatchObject({ falseAlarms: { leak: 1 }, worthALook: ['one: leak of nothing'] });
  });

  it('takes a zone that stays shut for found only by that zone, or by no zone in particular', () => {
    const by = (channel: number | null) =>
      confusionOf([
        { year: yearOf({ planted: [recordOf('valve_stuck_closed')] }), insights: [said('no_flow', FROM, channel)] },
      ]);
    for (const channel of [0, null]) expect(by(channel)).toMatchObject({ found: { valve_stuck_closed: 1 } });
    expect(by(1)).toMatchObject({ found: {}, falseAlarms: { no_flow: 1 } });
  });

  it.each([
    ['begins when it was over, with the visit after it', UNTIL, true],
    ['begins later', UNTIL + 1, false],
    ['begins a day before it', FROM - DAY, true],
    ['was there before, and goes on', FROM - DAY - 1, false],
  ] as const)('an insight that %s', (_, since, isFound) => {
    const { found, falseAlarms } = confusionOf([
      { year: yearOf({ planted: [recordOf('leak')] }), insights: [said('leak', since)] },
    ]);
    expect([found, falseAlarms]).toEqual(isFound ? [{ leak: 1 }, {}] : [{}, { leak: 1 }]);
  });

  it('names at most fifty devices, and counts the same fault of two devices twice', () => {
    const devices = Array.from({ length: 60 }, () => ({ year: yearOf({ planted: [recordOf('leak')] }), insights: [] }));
    const { worthALook, planted, deviceYears } = confusionOf(devices);
    expect([worthALook.length, planted, deviceYears]).toEqual([50, { leak: 60 }, 60]);
  });
});

describe('litres that are said', () => {
  const run = { zone: 1, trigger: 'manual', startedAt: FROM, endedAt: FROM + HOUR, millilitres: 900 } as const;
  const session = { channel: 1, startedAt: FROM, endedAt: FROM + HOUR, sawStart: true, millilitres: 990 };
  const runOf = (basis: string, millilitres: number | null, changes: Partial<SaidRun> = {}): SaidRun => ({
    ...{ channel: 1, startedAt: FROM, outcome: 'completed', isClockLost: false },
    ...{ volume: { basis, millilitres, isMinimum: false }, ...changes },
  });
  const runs: DeviceYear['runs'] = [{ ...run, meteredMl: 1_000, end: 'completed' }];
  const sessions: DeviceYear['sessions'] = [{ ...session, ended: 'completed', sessionId: 's' }];

  it('are compared with the truth by how they came about', () => {
    const litres = litresOf([
      { year: yearOf({ runs, sessions }), runs: [runOf('measured', 990), runOf('estimated', 1_100)] },
    ]);
    expect(litres).toEqual({
      watched: { runs: 1, saidMl: 990, trueMl: 1_000, offMl: 10 },
      estimated: { runs: 1, saidMl: 1_100, trueMl: 1_000, offMl: 100 },
      ...{ unknown: 0, invented: 0, outcomes: { completed: 2 } },
    });
  });

  it('are invented when they are measured and nobody watched, or nothing ran', () => {
    expect(litresOf([{ year: yearOf({ runs }), runs: [runOf('measured', 990)] }])).toMatchObject({ invented: 1 });
    expect(litresOf([{ year: yearOf({ sessions }), runs: [runOf('measured', 990)] }])).toMatchObject({ invented: 1 });
  });

  it('that are too many here and too few there are off, though their sums are right', () => {
    const later = { startedAt: FROM + DAY, endedAt: FROM + DAY + HOUR };
    const litres = litresOf([
      {
        year: yearOf({
          runs: [...runs, ...runs.map((one) => ({ ...one, ...later }))],
          sessions: [...sessions, ...sessions.map((one) => ({ ...one, ...later }))],
        }),
        runs: [runOf('measured', 900), runOf('measured', 1_100, { startedAt: later.startedAt })],
      },
    ]);
    expect(litres.watched).toEqual({ runs: 2, saidMl: 2_000, trueMl: 2_000, offMl: 200 });
  });

  it('leave out what is unknown, a minimum, skipped, of a lost clock, or of no real run', () => {
    const minimum = { volume: { basis: 'estimated', millilitres: 5, isMinimum: true } };
    const litres = litresOf([
      {
        year: yearOf({ runs, sessions }),
        runs: [
          ...[runOf('unknown', null), runOf('estimated', 5, minimum), runOf('estimated', 5, { outcome: 'skipped' })],
          ...[runOf('estimated', 5, { isClockLost: true }), runOf('estimated', 5, { startedAt: FROM - DAY })],
        ],
      },
    ]);
    expect(litres).toMatchObject({ unknown: 1, estimated: { runs: 0 }, outcomes: { completed: 4, skipped: 1 } });
  });

  it('are summed up with the rest of two years, in any order', () => {
    const planted = [recordOf('leak'), recordOf('leak', false)];
    const watched = [{ saidMl: 990, trueMl: 1_000 }];
    const one = summaryOf(yearOf({ runs: [...runs, ...runs], sessions, watched, planted }));
    const other = summaryOf(yearOf({ habit: 'rarely', days: 30, planted: [recordOf('leak'), recordOf('empty_tank')] }));
    const both = joinSummaries(one, other);
    expect(both).toMatchObject({
      ...{ devices: 2, days: 365, habits: { daily: 1, rarely: 1 }, visits: 6, rows: 20, runs: 2, failures: 2 },
      ...{ runsByEnd: { completed: 2 }, watched: { runs: 1, saidMl: 990, trueMl: 1_000 } },
      ...{ planted: { leak: { planted: 3, leftEvidence: 2 }, empty_tank: { planted: 1, leftEvidence: 1 } } },
    });
    expect(joinSummaries(other, one)).toEqual(both);
    expect(joinSummaries(NO_YEARS, one)).toEqual(one);
  });
});

describe('evidence that a fault left', () => {
  const visitOf = (at: number, readings: readonly (readonly [ReadingKind, number[]])[], reads: GatheredRead[] = []) => {
    const gathered = new Gathering();
    for (const [kind, bytes] of readings) gathered.addReading({ kind, readAt: at, bytes: Uint8Array.from(bytes) });
    for (const read of reads) gathered.addRead(read);
    return { gathered, at, hasRestarted: false };
  };
  const hours = (times: readonly number[], value: (index: number) => number): GatheredRead => {
    const rows = new Uint8Array(times.length * 16);
    const view = new DataView(rows.buffer);
    for (const [index, time] of times.entries()) {
      view.setUint32(index * 16, time / 1000, true);
      view.setInt16(index * 16 + 4, value(index), true);
    }
    return { kind: 'environment_hourly', readAt: UNTIL, rows };
  };
  const everyHour = (count: number) => Array.from({ length: count }, (_, index) => FROM + index * HOUR);

  it('is none for any fault in visits that brought nothing', () => {
    for (const kind of FAULT_NAMES) expect(hasLeftEvidence(faultOf(kind), [visitOf(FROM + HOUR, [])])).toBe(false);
  });

  it.each([
    ['leak', 2],
    ['empty_tank', 1],
    ['stale_sensor', 6],
    ['lost_clock', 4],
  ] as const)('of %s is the status %i, from its beginning to the first visit after its end', (kind, status) => {
    const at = (time: number) => visitOf(time, [['status', [status]]]);
    const shows = (...times: number[]) => hasLeftEvidence(faultOf(kind), times.map(at));
    expect([shows(FROM - 1), shows(FROM), shows(UNTIL + DAY)]).toEqual([false, true, true]);
    expect(hasLeftEvidence(faultOf(kind), [visitOf(UNTIL, []), at(UNTIL + DAY)])).toBe(false);
  });

  it('of a flat line is twelve equal hours, and not eleven', () => {
    const shows = (count: number) =>
      hasLeftEvidence(faultOf('flat_line'), [visitOf(UNTIL, [], [hours(everyHour(count), () => 5)])]);
    expect([shows(11), shows(12)]).toEqual([false, true]);
    const weather = hours(everyHour(30), (index) => index);
    expect(hasLeftEvidence(faultOf('flat_line'), [visitOf(UNTIL, [], [weather])])).toBe(false);
  });

  it('of a stale sensor is a gap of hours, of a lost clock a row of before 2024, of restarts the uptime', () => {
    const gap = visitOf(UNTIL, [], [hours([FROM, FROM + 5 * HOUR], (index) => index)]);
    expect(hasLeftEvidence(faultOf('stale_sensor'), [gap])).toBe(true);
    const old = visitOf(UNTIL, [], [hours([Date.UTC(2023, 0, 1)], () => 1)]);
    expect([gap, old].map((visit) => hasLeftEvidence(faultOf('lost_clock'), [visit]))).toEqual([false, true]);
    expect(hasLeftEvidence(faultOf('dead_sensor'), [gap])).toBe(true);
    const restarted = { ...visitOf(UNTIL, []), hasRestarted: true };
    expect(hasLeftEvidence(faultOf('reboots_in_mid_run'), [restarted])).toBe(true);
  });

  it('of a valve that does not open is a run that somebody watched without a drop', () => {
    const dry = (minutes: number, millilitres: number) => {
      const visit = visitOf(FROM + DAY, []);
      visit.gathered.sessions.push({
        ...{ sessionId: 's', channel: 0, startedAt: FROM + HOUR, endedAt: FROM + HOUR + minutes * 60_000 },
        ...{ sawStart: true, ended: 'completed', millilitres },
      });
      return hasLeftEvidence(faultOf('valve_stuck_closed'), [visit]);
    };
    expect([dry(4, 0), dry(1, 0), dry(4, 500)]).toEqual([true, false, false]);
  });

  it('of a valve that does not open is the run that the device counted, after its lock is over', () => {
    const counted = (noFlowRuns: number) => {
      const bytes = new Uint8Array(48);
      bytes[28] = noFlowRuns;
      return hasLeftEvidence(faultOf('valve_stuck_closed'), [visitOf(FROM + DAY, [['hydraulic', [...bytes]]])]);
    };
    expect([counted(1), counted(0)]).toEqual([true, false]);
  });

  it('of a sensor is a sample that is older than the device would believe', () => {
    const sample = (uptimeMs: number) => {
      const bytes = EnvironmentalData.write({
        ...{ temp_c: 20, humidity_pct: 50, pressure_hpa: 1013, uptime_ms: uptimeMs, sensor_status: 1 },
        ...{ interval_s: 60, quality: 95, reserved: new Uint8Array(4) },
      });
      const visit = visitOf(FROM + DAY, [['environment', [...bytes]]]);
      visit.gathered.uptime = { uptimeMs: 20 * HOUR, readAt: FROM + DAY };
      return hasLeftEvidence(faultOf('stale_sensor'), [visit]);
    };
    expect([sample(19 * HOUR), sample(20 * HOUR - 60_000)]).toEqual([true, false]);
  });
});
