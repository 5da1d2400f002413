import {
  Alarm,
  clearAlarms,
  Diagnostics,
  EnvironmentalData,
  HistoryRealtimeNotify,
  isTrustedEpoch,
  ResetControl,
  Rtc,
  resetChannel,
  runCommand,
  Statistics,
  setClock,
  setTimeZone,
  startRun,
  TimeZoneRule,
} from '@autowatering/device-data';
import { AttError, ROMANIA } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { DAY, gardenBench, HOUR, JUNE, MINUTE } from '../../../support/garden.ts';

const codeOf = (act: () => void) => {
  try {
    act();
  } catch (error) {
    if (error instanceof AttError) return error.code;
    throw error;
  }
  return undefined;
};
const always = { from: JUNE, until: JUNE + 365 * DAY };

describe('a run', () => {
  it('that ends by itself leaves its start, and no row of its end', () => {
    const bench = gardenBench();
    bench.write(startRun(2, { minutes: 5 }));
    bench.wait(10 * MINUTE);
    expect(bench.rows(2)).toEqual([{ kind: 'start', target: { unit: 'minutes', value: 5 }, trigger: 'manual' }]);
    expect(bench.garden.truth.runs).toMatchObject([{ zone: 2, end: 'completed' }]);
  });

  it('leaves a row of its end if the firmware is fixed', () => {
    const bench = gardenBench({ behaviour: 'fixed' });
    bench.write(startRun(2, { minutes: 5 }));
    bench.wait(10 * MINUTE);
    expect(bench.rows(2)).toMatchObject([{ kind: 'start' }, { kind: 'stop', actual: 5 }]);
  });

  it('that is stopped by hand leaves whole minutes or litres, and its millilitres modulo 65,536 for who listens', () => {
    const bench = gardenBench();
    bench.write(startRun(1, { litres: 200 }));
    bench.wait(9 * MINUTE + 30_000);
    bench.write(runCommand('stop'));
    const [{ meteredMl = 0 } = {}] = bench.garden.truth.runs;
    expect(bench.rows(1).at(-1)).toEqual({ kind: 'stop', actual: Math.floor(meteredMl / 1000) });
    const notices = bench.notified('defc').flatMap(({ bytes }) => HistoryRealtimeNotify.read(bytes) ?? []);
    expect(meteredMl).toBeGreaterThan(65_536);
    expect(Math.abs((notices.at(-1)?.total_ml ?? 0) - (meteredMl % 65_536))).toBeLessThan(3);
    // The start's stamp is the uptime in seconds.
    expect(notices[0]).toMatchObject({ event: 0, timestamp: 0 });
  });

  it('is only queued by an accepted write, and dropped without a word while its channel is locked', () => {
    const bench = gardenBench({ faults: [{ kind: 'valve_stuck_closed', zone: 0, ...always }] });
    bench.write(startRun(0, { minutes: 5 }));
    expect(bench.task()?.channel_id).toBe(0xff);
    bench.wait(3 * MINUTE);
    expect(bench.hydraulics(0)).toMatchObject({ lock_level: 1, lock_reason: 2, no_flow_runs: 1 });
    bench.write(startRun(0, { minutes: 5 }));
    bench.wait(MINUTE);
    expect(bench.task()?.channel_id).toBe(0xff);
    expect(bench.rows(0)).toMatchObject([{ kind: 'stop', actual: 0 }]);
  });

  it('is refused, with a row, by frost and by rain', () => {
    const frost = gardenBench({ startsAt: Date.UTC(2026, 0, 10) });
    expect(codeOf(() => frost.write(startRun(0, { minutes: 5 })))).toBe(0x03);
    expect(frost.rows(0)).toEqual([{ kind: 'skip', reason: 'freeze' }]);
    const rain = gardenBench();
    for (
      let hours = 0;
      hours < 2_000 && codeOf(() => rain.write(startRun(3, { minutes: 1 }))) === undefined;
      hours += 1
    ) {
      rain.wait(HOUR);
    }
    expect(rain.rows(3).at(-1)).toEqual({ kind: 'skip', reason: 'rain' });
  });

  it('that a restart interrupts leaves its start and nothing else', () => {
    const bench = gardenBench({ faults: [{ kind: 'reboots_in_mid_run', ...always }] });
    bench.write(startRun(4, { minutes: 30 }));
    bench.write(startRun(5, { minutes: 30 }));
    bench.wait(5 * MINUTE);
    bench.comeBack();
    expect(bench.rows(4)).toMatchObject([{ kind: 'start' }]);
    expect(bench.rows(5)).toEqual([]);
    expect(bench.task()?.channel_id).toBe(0xff);
    expect(bench.garden.truth.runs).toMatchObject([{ zone: 4, end: 'power_lost' }]);
    expect(bench.garden.truth.reboots).toHaveLength(1);
    expect(bench.read('defd', Diagnostics).uptime_min).toBe(3);
  });
});

describe('the statistics', () => {
  it('are guesses: 100 ml a minute, and one run at most', () => {
    const bench = gardenBench();
    for (let runs = 0; runs < 2; runs += 1) {
      bench.write(startRun(0, { minutes: 15 }));
      bench.wait(20 * MINUTE);
    }
    expect(bench.read('def8', Statistics)).toMatchObject({ total_ml: 1_500, last_ml: 1_500, count: 1 });
  });

  it('forge a row of history when they are written', () => {
    const bench = gardenBench();
    const kept = { channel_id: 6, total_ml: 0xff_ff_ff_ff, last_watering_epoch: 0xff_ff_ff_ff, count: 0xff_ff };
    bench.gatt().write('def8', Statistics.write({ ...kept, last_ml: 70_000 }));
    bench.gatt().write('def8', Uint8Array.of(6, ...new Uint8Array(14)));
    expect(bench.rows(6)).toEqual([{ kind: 'statistics-reset' }]);
    bench.garden.reboot();
    bench.wait(MINUTE);
    bench.comeBack();
    // The first row of an empty ring was overwritten in memory only: it is back after a restart.
    expect(bench.rows(6)).toEqual([
      { kind: 'statistics-write', millilitres: 70_000 - 65_536 },
      { kind: 'statistics-reset' },
    ]);
  });
});

describe('an alarm', () => {
  const faults = [{ kind: 'empty_tank', ...always }] as const;

  it('is forgotten unless somebody is subscribed, and then the last one wins', () => {
    const deaf = gardenBench({ faults });
    deaf.write(startRun(0, { minutes: 5 }));
    deaf.wait(5 * MINUTE);
    expect(deaf.read('defa', Alarm).alarm_code).toBe(0);
    expect(deaf.garden.truth.alarms).toMatchObject([{ code: 1, isKept: false }]);

    const heard = gardenBench({ faults, subscribed: ['defa'] });
    for (let runs = 0; runs < 3; runs += 1) {
      heard.write(startRun(0, { minutes: 5 }));
      heard.wait(20 * MINUTE);
    }
    const codes = heard.notified('defa').map(({ bytes }) => Alarm.read(bytes)?.alarm_code);
    expect(codes).toEqual([1, 1, 1, 7]);
    expect(heard.read('defa', Alarm)).toMatchObject({ alarm_code: 7, alarm_data: 0 });
    expect(heard.hydraulics(0)).toMatchObject({ lock_level: 2, lock_reason: 2, no_flow_runs: 3, retry_epoch: 0 });
  });

  it('is kept for whoever comes if the firmware is fixed', () => {
    const bench = gardenBench({ faults, behaviour: 'fixed' });
    bench.write(startRun(0, { minutes: 5 }));
    bench.wait(5 * MINUTE);
    expect(bench.read('defa', Alarm)).toMatchObject({ alarm_code: 1, alarm_data: 1 });
  });

  it('that is cleared shows "OK" and leaves the lock, which only a reset of the channel ends', () => {
    const bench = gardenBench({ faults });
    for (let runs = 0; runs < 3; runs += 1) {
      bench.write(startRun(0, { minutes: 5 }));
      bench.wait(20 * MINUTE);
    }
    expect([...bench.gatt().read('def3')]).toEqual([7]);
    bench.write(clearAlarms());
    expect([...bench.gatt().read('def3')]).toEqual([0]);
    expect(bench.hydraulics(0)?.lock_level).toBe(2);
    expect(codeOf(() => bench.write(resetChannel(0, 'channel', 1)))).toBe(0x05);
    bench.write(resetChannel(0, 'channel'));
    const { code, status } = bench.read('de21', ResetControl);
    expect(status).toBe(1);
    bench.write(resetChannel(0, 'channel', code));
    bench.wait(2_000);
    expect(bench.read('de21', ResetControl).status).toBe(3);
    expect(bench.hydraulics(0)?.lock_level).toBe(0);
  });
});

describe('water that should not flow', () => {
  it('is noticed after a quarter of an hour with all valves shut, locks everything, and is told at each check', () => {
    const bench = gardenBench({ subscribed: ['defa'] });
    bench.garden.plant({ kind: 'leak', mlPerMinute: 900, from: JUNE + 2 * HOUR, until: JUNE + 3 * HOUR });
    bench.wait(2 * HOUR + 20 * MINUTE);
    const alarms = bench.notified('defa').map(({ bytes }) => Alarm.read(bytes));
    expect(alarms.slice(0, 3)).toMatchObject([
      { alarm_code: 2, alarm_data: 337 },
      { alarm_code: 8 },
      { alarm_code: 2 },
    ]);
    expect(bench.hydraulics(0)).toMatchObject({ global_level: 1, global_reason: 3, unexpected_runs: 1 });
    bench.wait(HOUR);
    expect(bench.read('defa', Alarm)).toMatchObject({ alarm_code: 2, alarm_data: 0 });
    bench.wait(6 * HOUR);
    expect(bench.hydraulics(0)?.global_level).toBe(0);
  });

  it('is found by the test at three in the morning, for good: no reset ends that lock', () => {
    const bench = gardenBench({ faults: [{ kind: 'leak', mlPerMinute: 12, ...always }] });
    bench.wait(2 * DAY);
    expect(bench.hydraulics(0)).toMatchObject({ global_level: 2, global_reason: 4 });
    const reset = { type: 0xff, channel_id: 0xff, status: 0, timestamp: 0, progress: new Uint8Array(5) };
    bench.gatt().write('de21', ResetControl.write({ ...reset, code: 0 }));
    bench.gatt().write('de21', ResetControl.write({ ...reset, code: bench.read('de21', ResetControl).code }));
    bench.garden.reboot();
    bench.wait(DAY);
    bench.comeBack();
    expect(bench.hydraulics(0)).toMatchObject({ global_level: 2, global_reason: 4 });
  });

  it('is too much for a channel whose flow was learned, and locks it', () => {
    const bench = gardenBench({ subscribed: ['defa'] });
    for (let runs = 0; runs < 4; runs += 1) {
      bench.write(startRun(3, { minutes: 5 }));
      bench.wait(10 * MINUTE);
    }
    expect(bench.hydraulics(3)).toMatchObject({ calibrated: 1 });
    bench.garden.plant({ kind: 'leak', zone: 3, mlPerMinute: 5_000, from: bench.garden.now, until: JUNE + DAY });
    bench.write(startRun(3, { minutes: 5 }));
    bench.wait(2 * MINUTE);
    expect(bench.notified('defa').map(({ bytes }) => bytes[0])).toEqual([4, 7]);
    expect(bench.hydraulics(3)).toMatchObject({ lock_level: 2, lock_reason: 1, high_flow_runs: 1 });
    expect(bench.rows(3).at(-1)).toEqual({ kind: 'stop', actual: 0 });
  });
});

describe('the clock', () => {
  it('that is lost shows the first day of 2023 again and again, and can’t be set', () => {
    const bench = gardenBench({ faults: [{ kind: 'lost_clock', from: JUNE + HOUR, until: JUNE + 2 * DAY }] });
    bench.wait(2 * HOUR);
    bench.write(startRun(0, { minutes: 1 }));
    bench.wait(DAY);
    bench.write(startRun(0, { minutes: 1 }));
    bench.wait(HOUR);
    const epochs = bench.entries(0).map(({ epoch }) => epoch);
    expect(epochs.every((epoch) => !isTrustedEpoch(epoch, bench.garden.now))).toBe(true);
    expect(codeOf(() => bench.write(setClock(new Date(bench.garden.now), 120, false)))).toBe(0x0e);
    expect(bench.read('def9', Rtc)).toMatchObject({ year_minus_2000: 23, month: 1, day: 1 });
    // The chip is tried again only by a restart.
    bench.wait(2 * DAY);
    bench.garden.reboot();
    bench.wait(MINUTE);
    bench.comeBack();
    expect(bench.read('def9', Rtc)).toMatchObject({ year_minus_2000: 26, month: 6 });
  });

  it('loses its rules of summer time when it is set', () => {
    const bench = gardenBench();
    expect(bench.read('6793', TimeZoneRule)).toEqual(ROMANIA);
    bench.write(setClock(new Date(bench.garden.now), 180, true));
    expect(bench.read('6793', TimeZoneRule)).toMatchObject({ utc_offset_min: 180, dst_enabled: 0 });
    bench.write(setTimeZone(ROMANIA));
    expect(bench.read('def9', Rtc)).toMatchObject({ hour: 3, utc_offset_min: 180, dst_active: 1 });
  });

  it('is the uptime where a time should be', () => {
    const bench = gardenBench();
    bench.wait(3 * HOUR);
    bench.write(startRun(0, { minutes: 1 }));
    bench.wait(2_000);
    expect(bench.task()?.start_uptime_s).toBe(3 * 3600);
    expect(bench.read('de15', EnvironmentalData).uptime_ms).toBe(3 * HOUR);
    bench.wait(50 * DAY);
    expect(bench.read('de15', EnvironmentalData).uptime_ms).toBeLessThan(DAY);
  });
});
