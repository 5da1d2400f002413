import { describe, expect, it } from 'vitest';
import { runsOf } from '../../../src/telemetry/runs/runs.ts';
import {
  evidenceOf,
  HOUR,
  MINUTE,
  MORNING,
  type Piece,
  skippedForFrost,
  skippedForRain,
  startedFor,
  startedUntil,
  statisticsReset,
  statisticsWritten,
  stopped,
  watched,
  withLostClock,
} from '../../support/garden-evidence.ts';

const runs = (...pieces: readonly Piece[]) => runsOf(evidenceOf(...pieces));
const UNKNOWN = { basis: 'unknown' };

describe('a run', () => {
  it('is of unknown outcome if all there is of it is its start', () => {
    expect(runs(startedFor(2, MORNING, 15))).toEqual([
      {
        runId: `run-2-${MORNING}`,
        ...{ channel: 2, startedAt: MORNING, endedAt: null, isClockLost: false, trigger: 'schedule', skipReason: null },
        ...{ target: { unit: 'minutes', value: 15 }, outcome: 'outcome_unknown', volume: UNKNOWN },
        restsOn: ['start_row'],
      },
    ]);
  });

  it('is completed if somebody watched its end, with the litres that were measured', () => {
    const session = watched(2, MORNING + 40_000, { minutes: 15, millilitres: 31_000 });
    expect(runs(startedFor(2, MORNING, 15), session)).toMatchObject([
      {
        ...{ outcome: 'completed', endedAt: session.endedAt, restsOn: ['start_row', 'watched'] },
        volume: { basis: 'measured', millilitres: 31_000, isMinimum: false },
      },
    ]);
  });

  it('is interrupted if the device restarted while it must have run', () => {
    const start = startedFor(2, MORNING, 15);
    expect(runs(start, { rebootAt: MORNING + 14 * MINUTE })).toMatchObject([
      { outcome: 'interrupted', endedAt: MORNING + 14 * MINUTE, restsOn: ['start_row', 'reboot'] },
    ]);
    expect(runs(start, { rebootAt: MORNING + 16 * MINUTE })).toMatchObject([{ outcome: 'outcome_unknown' }]);
    const next = startedFor(3, MORNING + 5 * MINUTE, 1);
    expect(runs(start, next, { rebootAt: MORNING + 14 * MINUTE })[0]).toMatchObject({ outcome: 'outcome_unknown' });
  });

  it('by litres must run for as long as the widest pipe takes', () => {
    const start = startedUntil(2, MORNING, 100);
    expect(runs(start, { rebootAt: MORNING + 5 * MINUTE })).toMatchObject([{ outcome: 'interrupted' }]);
    expect(runs(start, { rebootAt: MORNING + 6 * MINUTE })).toMatchObject([{ outcome: 'outcome_unknown' }]);
  });

  it('that a phone lost sight of as the device restarted is interrupted, with the litres until then at least', () => {
    const session = watched(2, MORNING, { minutes: 8, ended: 'lost_sight', millilitres: 9_000 });
    const volume = { basis: 'measured', millilitres: 9_000, isMinimum: true };
    expect(runs(session)).toMatchObject([{ outcome: 'outcome_unknown', volume }]);
    expect(runs(session, { rebootAt: MORNING + 9 * MINUTE })).toMatchObject([{ outcome: 'interrupted', volume }]);
  });

  it('is skipped for rain or frost, and took nothing', () => {
    expect(runs(skippedForRain(0, MORNING), skippedForFrost(1, MORNING))).toMatchObject([
      { channel: 0, outcome: 'skipped', skipReason: 'rain', volume: { basis: 'estimated', millilitres: 0 } },
      { channel: 1, outcome: 'skipped', skipReason: 'freeze', restsOn: ['skip_row'] },
    ]);
  });

  it('is not what a reset of statistics or a write to them leaves', () => {
    expect(runs(statisticsReset(1, MORNING), statisticsWritten(1, MORNING, 30_000))).toEqual([]);
  });

  it('of a lost clock is kept under its receipt, and not paired with what another read told', () => {
    const start = withLostClock(startedFor(1, MORNING, 30), MORNING + 4 * HOUR);
    const stop = withLostClock(stopped(1, MORNING + 12 * MINUTE, 12), MORNING + 4 * HOUR);
    expect(runs(start, stop)).toMatchObject([
      { startedAt: MORNING + 4 * HOUR, endedAt: null, isClockLost: true, outcome: 'stopped', volume: UNKNOWN },
    ]);
    expect(runs(start, { ...stop, at: MORNING + 5 * HOUR })).toMatchObject([
      { outcome: 'outcome_unknown', isClockLost: true },
      { outcome: 'stopped', isClockLost: true },
    ]);
  });
});

describe('a stop', () => {
  it('belongs to the nearest earlier start of its channel', () => {
    const before = startedFor(2, MORNING, 15);
    const start = startedUntil(2, MORNING + HOUR, 30);
    const stop = stopped(2, MORNING + HOUR + 9 * MINUTE, 12);
    expect(runs(stop, before, start)).toMatchObject([
      { outcome: 'outcome_unknown' },
      {
        ...{ outcome: 'stopped', endedAt: MORNING + HOUR + 9 * MINUTE, restsOn: ['start_row', 'stop_row'] },
        volume: { basis: 'estimated', millilitres: 12_000 },
      },
    ]);
  });

  it.each([
    ['after another valve opened', [startedFor(1, MORNING + MINUTE, 5), stopped(2, MORNING + 2 * MINUTE, 2)]],
    ['of more than was asked for', [stopped(2, MORNING + 2 * HOUR, 61)]],
    ['a day later', [stopped(2, MORNING + 25 * HOUR, 5)]],
  ])('%s is of a run whose start is lost', (_, rest) => {
    const found = runs(startedFor(2, MORNING, 60), ...rest);
    expect(found[0]).toMatchObject({ outcome: 'outcome_unknown' });
    expect(found.at(-1)).toMatchObject({ outcome: 'stopped', target: null, volume: UNKNOWN, restsOn: ['stop_row'] });
  });

  it('after minutes has litres only if the usual flow of the zone was seen that month, and they are an estimate', () => {
    const stoppedRun = [startedFor(2, MORNING, 15), stopped(2, MORNING + 6 * MINUTE, 6)] as const;
    const session = (at: number) => watched(2, at, { minutes: 10, millilitres: 25_000 });
    expect(runs(...stoppedRun, session(MORNING + 30 * 24 * HOUR))[0]?.volume).toEqual(UNKNOWN);
    expect(runs(...stoppedRun, session(MORNING + HOUR))[0]?.volume).toEqual({
      basis: 'estimated',
      millilitres: 15_000,
    });
  });

  it('by the device counts more than what a phone took for a success', () => {
    const end = MORNING + 10 * MINUTE;
    expect(runs(startedFor(2, MORNING, 10), stopped(2, end, 9), watched(2, MORNING))).toMatchObject([
      { outcome: 'stopped', endedAt: end, volume: { basis: 'measured', millilitres: 20_000 } },
    ]);
  });
});

describe('a watched session', () => {
  it('is a run by itself until the start row is read', () => {
    const session = watched(2, MORNING + 90_000);
    expect(runs(session)).toMatchObject([
      { runId: `watched-2-${session.startedAt}`, target: null, outcome: 'completed', restsOn: ['watched'] },
    ]);
    expect(runs(session, startedFor(2, MORNING, 10))).toHaveLength(1);
  });

  it('merges with those of other phones, whose litres are not added', () => {
    const whole = watched(2, MORNING, { minutes: 10, millilitres: 20_000 });
    const later = watched(2, MORNING + 4 * MINUTE, { minutes: 7, sawStart: false, millilitres: 12_500 });
    const ahead = watched(2, MORNING + 2 * MINUTE, { minutes: 10, millilitres: 20_100 });
    const volume = { basis: 'measured', millilitres: 20_100, isMinimum: false };
    for (const more of [[], [startedFor(2, MORNING, 10)]]) {
      expect(runs(later, ahead, whole, ...more)).toMatchObject([
        { startedAt: MORNING, endedAt: ahead.endedAt, outcome: 'completed', volume },
      ]);
    }
  });

  it('is of another run than the one before it, however soon that began again', () => {
    const first = watched(2, MORNING);
    const second = watched(2, MORNING + 11 * MINUTE);
    expect(runs(first, second)).toHaveLength(2);
    expect(runs(first, second, startedFor(2, MORNING, 10))).toHaveLength(2);
  });

  it('that began in the middle and saw the end of a run by litres leaves those it was told to give', () => {
    const session = watched(2, MORNING + 5 * MINUTE, { sawStart: false, millilitres: 8_000 });
    const volume = { basis: 'measured', millilitres: 8_000, isMinimum: true };
    expect(runs(session)).toMatchObject([{ volume, outcome: 'completed' }]);
    expect(runs(session, startedUntil(2, MORNING, 15))).toMatchObject([
      { startedAt: MORNING, outcome: 'completed', volume: { basis: 'estimated', millilitres: 15_000 } },
    ]);
  });

  it('that began in the middle is not of a run whose end was seen before', () => {
    const first = watched(2, MORNING, { minutes: 10, ended: 'stopped' });
    const second = watched(2, MORNING + 15 * MINUTE, { minutes: 5, sawStart: false });
    expect(runs(startedFor(2, MORNING, 30), first, second)).toMatchObject([
      { outcome: 'stopped', endedAt: first.endedAt },
      { outcome: 'completed', startedAt: second.startedAt, restsOn: ['watched'] },
    ]);
  });

  it('that did not see a success together with one that did leaves no success', () => {
    const cautious = watched(2, MORNING, { ended: 'stopped' });
    expect(runs(startedFor(2, MORNING, 10), watched(2, MORNING), cautious)).toMatchObject([{ outcome: 'stopped' }]);
  });
});
