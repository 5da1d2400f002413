import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDayOf, type ZoneTimeline } from '../../../src/telemetry/rollups/local-day.ts';
import { packRollUp, unpackRollUp } from '../../../src/telemetry/rollups/packed.ts';
import { rollUp } from '../../../src/telemetry/rollups/roll-up.ts';
import { NOTHING } from '../../../src/telemetry/rollups/totals.ts';
import { runsOf } from '../../../src/telemetry/runs/runs.ts';
import {
  DAY,
  evidenceOf,
  MINUTE,
  MORNING,
  type Piece,
  skippedForRain,
  startedFor,
  startedUntil,
  stopped,
  watched,
} from '../../support/garden-evidence.ts';

const BUCHAREST: ZoneTimeline = [{ since: 0, zone: 'Europe/Bucharest' }];
const monthWith = (at: number) => {
  const [year, month] = [new Date(at).getUTCFullYear(), new Date(at).getUTCMonth()];
  return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
};
const rolledUp = (at: number, zones: ZoneTimeline, ...pieces: readonly Piece[]) =>
  rollUp(runsOf(evidenceOf(...pieces)), zones, monthWith(at));

describe('a month’s roll-up', () => {
  it('counts a day’s runs of a zone by outcome, with litres, minutes and skips', () => {
    const { days, startsByHour } = rolledUp(
      ...[MORNING, BUCHAREST, startedFor(2, MORNING, 10), watched(2, MORNING), startedFor(2, MORNING + DAY / 4, 30)],
      ...[startedUntil(2, MORNING + DAY / 2, 9), stopped(2, MORNING + DAY / 2 + 4 * MINUTE, 3)],
      ...[skippedForRain(2, MORNING - MINUTE), skippedForRain(5, MORNING)],
    );
    expect(days).toEqual([
      {
        ...{ day: '2026-06-01', channel: 2 },
        totals: {
          ...NOTHING,
          ...{ measuredMl: 20_000, estimatedMl: 3_000, minutes: 14, completed: 1, stopped: 1, outcomeUnknown: 1 },
          ...{ withoutVolume: 1, skippedForRain: 1 },
        },
      },
      { day: '2026-06-01', channel: 5, totals: { ...NOTHING, skippedForRain: 1 } },
    ]);
    expect(startsByHour[9]).toBe(1);
    expect(startsByHour.reduce((sum, starts) => sum + starts)).toBe(3);
  });

  it('has the runs that began in the month by UTC, under the days of the owner', () => {
    const newYear = Date.parse('2026-12-31T23:00:00Z');
    const pieces = [startedFor(1, newYear, 5), startedFor(1, newYear + DAY, 5)] as const;
    expect(rolledUp(newYear, BUCHAREST, ...pieces).days).toMatchObject([{ day: '2027-01-01' }]);
    const honolulu: ZoneTimeline = [{ since: 0, zone: 'Pacific/Honolulu' }];
    expect(rolledUp(newYear + DAY, honolulu, startedFor(1, newYear + 2 * 3_600_000, 5)).days).toMatchObject([
      { day: '2026-12-31' },
    ]);
  });
});

describe('the owner’s day', () => {
  const at = (time: string) => localDayOf(BUCHAREST, Date.parse(time));

  it('has 23 hours in spring and 25 in autumn', () => {
    expect([at('2026-03-28T21:59:59Z'), at('2026-03-28T22:00:00Z')]).toEqual(['2026-03-28', '2026-03-29']);
    expect([at('2026-03-29T20:59:59Z'), at('2026-03-29T21:00:00Z')]).toEqual(['2026-03-29', '2026-03-30']);
    expect([at('2026-10-24T21:00:00Z'), at('2026-10-25T21:59:59Z')]).toEqual(['2026-10-25', '2026-10-25']);
    expect(at('2026-10-25T22:00:00Z')).toBe('2026-10-26');
  });

  it('is that of the zone that held at the time', () => {
    const moved: ZoneTimeline = [...BUCHAREST, { since: MORNING, zone: 'Pacific/Auckland' }];
    const evening = Date.parse('2026-06-01T15:00:00Z');
    expect(localDayOf(moved, evening)).toBe('2026-06-02');
    expect(localDayOf(moved, evening - DAY)).toBe('2026-05-31');
    expect(localDayOf([], evening)).toBe('2026-06-01');
  });
});

const zone = fc.constantFrom('UTC', 'Europe/Bucharest', 'America/St_Johns', 'Pacific/Kiritimati', 'Pacific/Pago_Pago');
const anyRuns = fc
  .array(
    fc.record({
      ...{ channel: fc.nat(7), minutes: fc.integer({ min: 1, max: 1440 }), isWatched: fc.boolean() },
      at: fc.integer({ min: Date.parse('2026-11-28T00:00:00Z'), max: Date.parse('2027-02-03T00:00:00Z') }),
      millilitres: fc.option(fc.nat(2_000_000)),
    }),
    { maxLength: 60 },
  )
  .map((starts) =>
    runsOf(
      evidenceOf(
        ...starts.map(({ channel, at, minutes, isWatched, millilitres }) =>
          isWatched ? watched(channel, at, { minutes, millilitres }) : startedFor(channel, at, minutes),
        ),
      ),
    ),
  );

describe('stored roll-ups', () => {
  it('read as what was written', () => {
    fc.assert(
      fc.property(anyRuns, zone, (runs, name) => {
        const month = monthWith(Date.parse('2026-12-15T00:00:00Z'));
        const made = rollUp(runs, [{ since: 0, zone: name }], month);
        expect(unpackRollUp(month.from, packRollUp(month.from, made))).toEqual(made);
      }),
    );
  });

  it('take less than 1 KB for a month of four zones that are watered daily', () => {
    const days = Array.from({ length: 30 }, (_, day) => MORNING + day * DAY);
    const pieces = days.flatMap((day) =>
      [0, 1, 2, 3].map((channel) => watched(channel, day + channel * 20 * MINUTE, { millilitres: 21_345 + channel })),
    );
    const { from } = monthWith(MORNING);
    expect(packRollUp(from, rolledUp(MORNING, BUCHAREST, ...pieces)).byteLength).toBeLessThan(1024);
  });

  it('of a newer version, or cut off, are not taken for others', () => {
    const { from } = monthWith(MORNING);
    const bytes = packRollUp(from, rolledUp(MORNING, BUCHAREST, startedFor(2, MORNING, 10)));
    expect(() => unpackRollUp(from, bytes.subarray(0, -1))).toThrow('cut off');
    expect(() => unpackRollUp(from, Uint8Array.from([...bytes, 0]))).toThrow('left over');
    expect(() => unpackRollUp(from, Uint8Array.from([9, ...bytes.subarray(1)]))).toThrow('version');
  });
});
