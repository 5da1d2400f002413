import { setClock, setSchedule, setTimeZone, startRun } from '@autowatering/device-data';
import { ROMANIA, type ScheduleOptions } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { DAY, gardenBench, HOUR, JUNE, MINUTE } from '../../../support/garden.ts';

/** The day before clocks go forward in Romania, and warm there in this garden. */
const SATURDAY = Date.UTC(2026, 2, 28);
const benchWith = (schedule: ScheduleOptions, startsAt = JUNE) =>
  gardenBench({ startsAt, latitude: 20, zones: [{ schedule, isRainAware: false }] });
const started = (bench: ReturnType<typeof gardenBench>) => bench.garden.truth.runs.map(({ startedAt }) => startedAt);
const hours = (bench: ReturnType<typeof gardenBench>) =>
  started(bench).map((at) => new Date(at).toISOString().slice(5, 16));
const FIVE = { minutes: 5 };

describe('a schedule', () => {
  it('keeps to local time when clocks change', () => {
    const bench = benchWith({ hour: 6, minute: 30, amount: FIVE }, SATURDAY);
    bench.wait(3 * DAY);
    expect(hours(bench)).toEqual(['03-28T04:30', '03-29T03:30', '03-30T03:30']);
  });

  it('is an hour off after that if a phone set the clock and not the zone after it', () => {
    const bench = benchWith({ hour: 6, minute: 30, amount: FIVE }, SATURDAY);
    bench.write(setClock(new Date(bench.garden.now), 120, false));
    bench.wait(2 * DAY);
    expect(hours(bench)).toEqual(['03-28T04:30', '03-29T04:30']);
    bench.write(setTimeZone(ROMANIA));
    bench.wait(DAY);
    expect(hours(bench).at(-1)).toBe('03-30T03:30');
  });

  it('is due on its weekdays, every so many days, or by the sun', () => {
    const weekdays = benchWith({ weekdays: [1, 5], hour: 6, minute: 0, amount: FIVE });
    weekdays.wait(14 * DAY);
    expect(started(weekdays).map((at) => new Date(at).getUTCDay())).toEqual([1, 5, 1, 5]);
    const every = benchWith({ everyDays: 3, hour: 6, minute: 0, amount: FIVE });
    every.wait(12 * DAY);
    const times = started(every);
    expect(times.slice(1).map((at, index) => (at - (times[index] ?? 0)) / DAY)).toEqual([3, 3, 3]);
    const bySun = gardenBench({ latitude: 45 });
    const sunrise = {
      channel_id: 0,
      type: 0,
      days_or_interval: 0x7f,
      hour: 0,
      minute: 0,
      mode: 0,
      value: 5,
      enabled: 1,
    };
    bySun.write(setSchedule({ ...sunrise, solar: 1, solar_event: 1, solar_offset_min: -30 }));
    bySun.wait(2 * DAY);
    const [first = 0] = started(bySun);
    expect(((first + 3 * HOUR) % DAY) / HOUR).toBeGreaterThan(3);
    expect(((first + 3 * HOUR) % DAY) / HOUR).toBeLessThan(5);
  });

  it('waits for the run before it, and for a soft lock to end', () => {
    const bench = gardenBench({
      latitude: 20,
      zones: [0, 1].map(() => ({ isRainAware: false, schedule: { hour: 6, minute: 0, amount: { litres: 20 } } })),
      faults: [{ kind: 'valve_stuck_closed', zone: 2, from: JUNE, until: JUNE + 170 * MINUTE }],
    });
    bench.wait(4 * HOUR);
    const [first, second] = bench.garden.truth.runs;
    expect(first?.millilitres).toBeCloseTo(20_000, -2);
    expect(second?.startedAt).toBeGreaterThan(first?.endedAt ?? 0);

    const locked = gardenBench({
      latitude: 20,
      zones: [{ isRainAware: false, schedule: { hour: 6, minute: 0, amount: FIVE } }],
    });
    locked.garden.plant({ kind: 'empty_tank', from: JUNE, until: JUNE + 175 * MINUTE });
    locked.wait(170 * MINUTE);
    locked.write(startRun(0, { minutes: 5 }));
    locked.wait(40 * MINUTE);
    // Due at 180 minutes, but locked for a quarter of an hour after the failure at 171.
    const [failed, late] = locked.garden.truth.runs;
    expect(failed?.end).toBe('no_flow');
    expect(late).toMatchObject({ trigger: 'schedule', end: 'completed' });
    expect(late?.startedAt).toBeGreaterThan(JUNE + 185 * MINUTE);
  });

  it('of two is carried out with one valve at a time, behind an open master', () => {
    const bench = gardenBench({ subscribed: ['def1'], latitude: 20 });
    for (const channel of [4, 5]) bench.write(startRun(channel, { minutes: 1 }));
    bench.wait(5 * MINUTE);
    const moves = bench
      .notified('def1')
      .map(({ bytes }) => `${bytes[0] === 0xff ? 'master' : bytes[0]}${bytes[1] === 1 ? '+' : '-'}`);
    expect(moves).toEqual(['master+', '4+', '4-', '5+', '5-', 'master-']);
  });
});
