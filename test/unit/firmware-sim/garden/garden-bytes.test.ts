import { readFileSync } from 'node:fs';
import {
  CurrentTask,
  FlowCalibration,
  HydraulicStatus,
  queueCommand,
  resetChannel,
  runCommand,
  setSchedule,
  setTimeZone,
  startRun,
} from '@autowatering/device-data';
import { CHARACTERISTICS, type Characteristic, isCharacteristic, UTC_ZONE, uuidOf } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { DAY, type GardenBenchOptions, gardenBench, HOUR, MINUTE } from '../../../support/garden.ts';

const Vectors = z.object({
  vectors: z.array(z.object({ struct: z.string(), examples: z.array(z.object({ why: z.string(), hex: z.string() })) })),
});
const { vectors } = Vectors.parse(JSON.parse(readFileSync('test/fixtures/device-data/vectors.json', 'utf8')));

/** A vector of the device sheet, by the beginning of what it shows. */
function example(struct: string, why: string): string {
  const found = vectors.find((one) => one.struct === struct)?.examples.find((one) => one.why.startsWith(why));
  if (found === undefined) throw new Error(`no vector of ${struct}: ${why}`);
  return found.hex;
}

const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
/** The moment of the vectors: 25 March 2026, 05:00 UTC, a Wednesday. */
const T = 1_774_414_800_000;
const ofThree = (minutes: number) => [
  ...[{}, {}],
  { schedule: { hour: 7, minute: 0, amount: { minutes } }, isRainAware: false, mlPerMinute: 1_000 },
];
/** A warm garden that has stood for so long when the vectors' moment comes. */
const benchAt = (uptimeMs: number, options: GardenBenchOptions = {}) => {
  const bench = gardenBench({ startsAt: T - uptimeMs, latitude: 20, ...options });
  bench.wait(uptimeMs);
  return bench;
};

describe('the bytes of', () => {
  it('a scheduled run, from its start to a stop by hand', () => {
    const bench = benchAt(HOUR - 1, { zones: ofThree(15), subscribed: ['def1', 'deff', 'def7'] });
    bench.wait(2_001);
    const rows = () => bench.watering(2).body.subarray(12);
    expect(bench.notified('defc').map(({ bytes }) => hex(bytes))).toEqual([
      example('history_realtime_notify', 'START'),
    ]);
    bench.wait(MINUTE + 4_500);
    const shown = bench.read('deff', CurrentTask);
    expect(Math.abs(shown.total_volume_ml - 1_083)).toBeLessThan(25);
    expect(hex(CurrentTask.write({ ...shown, total_volume_ml: 1_080 }))).toBe(example('current_task', 'running'));
    expect(bench.notified('def1').map(({ bytes }) => hex(bytes))).toContain(example('valve_control', 'notify'));
    bench.wait(T + 430_000 - bench.garden.now);
    bench.write(runCommand('stop'));
    // The ring's first row is overwritten by the second.
    expect(hex(rows())).toBe(example('history_detailed_entry', 'stopped after 7 min'));
    expect(hex(bench.gatt().read('deff'))).toBe(example('current_task', 'idle'));
    bench.garden.reboot();
    bench.wait(MINUTE);
    bench.comeBack();
    expect(hex(rows()).slice(0, 48)).toBe(example('history_detailed_entry', 'start of a scheduled'));
  });

  it('the statistics of a run, as the firmware guesses them', () => {
    const bench = benchAt(HOUR, { zones: ofThree(15) });
    bench.wait(20 * MINUTE);
    bench.gatt().write('def8', Uint8Array.of(2));
    expect(hex(bench.gatt().read('def8'))).toBe(example('statistics', 'channel 2'));
    bench.gatt().write('def8', Uint8Array.of(3));
    expect(hex(bench.gatt().read('def8'))).toBe(example('statistics', 'never watered'));
  });

  it('skipped runs and reset statistics', () => {
    const cold = gardenBench({ startsAt: T, latitude: 66 });
    expect(() => cold.write(startRun(2, { minutes: 1 }))).toThrow('ATT 0x03');
    expect(hex(cold.watering(2).body.subarray(12))).toBe(example('history_detailed_entry', 'freeze skip'));
    const bench = benchAt(HOUR);
    bench.gatt().write('def8', Uint8Array.of(2, ...new Uint8Array(14)));
    expect(hex(bench.watering(2).body.subarray(12))).toBe(example('history_detailed_entry', 'statistics reset'));
  });

  it('the clock and its zones', () => {
    const bench = benchAt(HOUR);
    expect(hex(bench.gatt().read('def9'))).toBe(example('rtc', '2026-03-25'));
    expect(hex(bench.gatt().read('6793'))).toBe(example('timezone', 'Romania'));
    bench.write(setTimeZone(UTC_ZONE));
    expect(hex(bench.gatt().read('6793'))).toBe(example('timezone', 'default'));
    const west = gardenBench({ startsAt: Date.UTC(2026, 10, 24, 9), zone: { ...UTC_ZONE, utc_offset_min: -210 } });
    expect(hex(west.gatt().read('def9'))).toBe(example('rtc', '2026-11-24'));
    const lost = gardenBench({
      ...{ zone: UTC_ZONE, startsAt: T, faults: [{ kind: 'lost_clock', from: T, until: T + DAY }] },
    });
    lost.wait(3 * HOUR + 25 * MINUTE + 45_000);
    expect(hex(lost.gatt().read('def9'))).toBe(example('rtc', 'what a read gives'));
  });

  it('the diagnostics, a missing sensor, a gauge that is off', () => {
    const fresh = gardenBench();
    expect(hex(fresh.gatt().read('defd'))).toBe(example('diagnostics', 'just booted'));
    const bench = benchAt(2 * DAY);
    bench.write(startRun(2, { minutes: 1 }));
    bench.wait(5_000);
    expect(hex(bench.gatt().read('defd'))).toBe(example('diagnostics', '2 days up'));
    const blind = gardenBench({ startsAt: T, faults: [{ kind: 'dead_sensor', from: T, until: T + DAY }] });
    blind.wait(7_261_000);
    expect(hex(blind.gatt().read('de15'))).toBe(example('environmental_data', 'sensor missing'));
    const config = bench.gatt().read('de12');
    config[6] = 0;
    bench.gatt().write('de12', config);
    expect(hex(bench.gatt().read('de13'))).toBe(example('rain_data', 'disabled'));
  });

  it('a global lock for a mainline leak', () => {
    // Three in the morning and a minute, there.
    const zone = { ...UTC_ZONE, utc_offset_min: -119 };
    const fault = { kind: 'leak', mlPerMinute: 6, from: T - HOUR, until: T + DAY } as const;
    const bench = benchAt(HOUR, { zone, faults: [fault], zones: [{ profile: 'auto' }] });
    bench.gatt().write('de22', Uint8Array.of(0));
    expect(hex(bench.gatt().read('de22'))).toBe(example('hydraulic_status', 'hard global lock'));
    expect(HydraulicStatus.bytes).toBe(48);
  });

  it('alarms, as they are told', () => {
    const fault = { kind: 'empty_tank', from: T - HOUR, until: T - 2_000 } as const;
    const bench = gardenBench({
      ...{ startsAt: T - HOUR, latitude: 20, faults: [fault], zones: [{}, {}, { profile: 'spray' }] },
      subscribed: ['defa'],
    });
    // Nothing for 15 s, a pause of 5 s, and water at the second try: known after 15 s more, at T.
    bench.wait(HOUR - 36_500);
    bench.write(startRun(2, { minutes: 5 }));
    bench.wait(36_500);
    expect(
      bench
        .notified('defa')
        .map(({ bytes }) => hex(bytes))
        .at(-1),
    ).toBe(example('alarm', 'no-flow recovered'));
    bench.gatt().write('defa', Uint8Array.of(1));
    expect(hex(bench.notified('defa').at(-1)?.bytes)).toBe(example('alarm', 'cleared, as notified'));
    expect(() => bench.gatt().write('defa', Uint8Array.of(1))).toThrow('ATT 0x13');
  });

  it('schedules', () => {
    const bench = gardenBench({
      zones: [{}, {}, { schedule: { weekdays: [1, 3, 5], hour: 6, minute: 30, amount: { minutes: 15 } } }],
    });
    bench.gatt().write('def5', Uint8Array.of(2));
    expect(hex(bench.gatt().read('def5'))).toBe(example('schedule', 'Mon+Wed+Fri'));
    for (const why of ['every 3 days', 'FAO-56 auto']) {
      const bytes = Buffer.from(example('schedule', why), 'hex');
      bench.gatt().write('def5', bytes);
      bench.gatt().write('def5', Uint8Array.of(bytes[0] ?? 0));
      expect(hex(bench.gatt().read('def5'))).toBe(hex(bytes));
    }
    const wrong = { channel_id: 0, type: 0, days_or_interval: 1, hour: 6, minute: 0, mode: 0, value: 5, enabled: 1 };
    const { bytes } = setSchedule({ ...wrong, solar: 0, solar_event: 0, solar_offset_min: 0 });
    bytes[3] = 24;
    expect(() => bench.gatt().write('def5', bytes)).toThrow('ATT 0x13');
  });
});

describe('what is told unasked', () => {
  it('is the latest value, no faster than each characteristic may be', () => {
    const bench = gardenBench({ subscribed: ['def2', 'deff', 'def7'] });
    bench.write(startRun(0, { minutes: 1 }));
    bench.wait(30_000);
    const gaps = (characteristic: Characteristic) => {
      const times = bench.notified(characteristic).map(({ at }) => at);
      return times.slice(1).map((at, index) => at - (times[index] ?? 0));
    };
    expect(Math.min(...gaps('def2'))).toBeGreaterThanOrEqual(200);
    expect(bench.notified('def2').length).toBeGreaterThan(120);
    expect(bench.notified('deff').length).toBeGreaterThan(27);
    expect(Math.max(...gaps('deff'))).toBeLessThanOrEqual(1_000);
    expect(Math.max(...gaps('def7'))).toBeLessThanOrEqual(5_000);
    bench.wait(HOUR);
    // At last the flow is 0, the task nobody's, and then it is quiet.
    expect(hex(bench.notified('def2').at(-1)?.bytes)).toBe(example('flow_sensor', 'idle'));
    expect(hex(bench.notified('deff').at(-1)?.bytes)).toBe(example('current_task', 'idle'));
    expect(bench.notified('deff').length).toBeLessThan(75);
  });

  it('says by notification what a queue command could not do', () => {
    const bench = gardenBench({ subscribed: ['def7'] });
    const error = () => bench.notified('def7').at(-1)?.bytes;
    bench.write(queueCommand('start-next'));
    expect([error()?.[3], error()?.[4]]).toEqual([0xff, 1]);
    bench.wait(1_000);
    bench.write(queueCommand('resume'));
    expect([error()?.[3], error()?.[4]]).toEqual([0xff, 2]);
    bench.write(startRun(1, { minutes: 9 }));
    bench.write(startRun(2, { minutes: 9 }));
    bench.wait(10_000);
    bench.write(queueCommand('start-next'));
    bench.wait(50);
    expect([error()?.[0], error()?.[3], error()?.[4]]).toEqual([1, 0xff, 3]);
    bench.write(queueCommand('pause'));
    bench.wait(HOUR);
    expect(bench.task()).toMatchObject({ channel_id: 1, status: 2 });
    bench.write(queueCommand('resume'));
    bench.write(queueCommand('clear'));
    bench.write(queueCommand('cancel'));
    bench.wait(10_000);
    expect(bench.garden.truth.runs).toMatchObject([{ zone: 1, end: 'stopped' }]);
    for (let tasks = 0; tasks < 10; tasks += 1) bench.write(startRun(0, { minutes: 1 }));
    expect(() => bench.write(startRun(0, { minutes: 1 }))).toThrow('ATT 0x03');
  });

  it('leaves out that it freezes until half a minute later, and that it is locked for ever', () => {
    const frost = gardenBench({ startsAt: Date.UTC(2026, 1, 1), latitude: 45, subscribed: ['def3'] });
    frost.garden.advanceTo(frost.garden.now + 60 * DAY);
    const codes = new Set(frost.notified('def3').map(({ bytes }) => bytes[0]));
    expect(codes).toEqual(new Set([0, 6]));
    const first = frost.notified('def3').find(({ bytes }) => bytes[0] === 6);
    expect((first?.at ?? 0) % MINUTE).toBe(30_000);
    const leak = { kind: 'leak', mlPerMinute: 50, from: T, until: T + 30 * DAY } as const;
    const locked = gardenBench({ startsAt: T, faults: [leak], subscribed: ['def3'] });
    locked.wait(2 * DAY);
    expect([...locked.gatt().read('def3')]).toEqual([7]);
    expect(new Set(locked.notified('def3').map(({ bytes }) => bytes[0]))).toEqual(new Set([2]));
  });

  it('is the diagnostics and the rain once, when they are subscribed to', () => {
    const bench = gardenBench({ subscribed: ['defd', 'de13', 'de18'] });
    bench.wait(DAY);
    for (const characteristic of ['defd', 'de13', 'de18'] as const) {
      expect(bench.notified(characteristic)).toHaveLength(1);
    }
  });
});

describe('every characteristic', () => {
  const names = Object.keys(CHARACTERISTICS).filter(isCharacteristic);

  it('has the length of the sheet, and refuses another one', () => {
    const bench = gardenBench();
    const sizes = Object.fromEntries(names.map((name) => [name, bench.gatt().read(name).byteLength]));
    expect(sizes).toEqual({
      ...{ def1: 4, def2: 4, def3: 1, def5: 12, def6: 56, def7: 9, def8: 15, def9: 16, defa: 7, defb: 13, defc: 12 },
      ...{
        defd: 12,
        deff: 21,
        de12: 18,
        de13: 24,
        de14: 16,
        de15: 24,
        de16: 8,
        de17: 40,
        de18: 78,
        de21: 16,
        de22: 48,
      },
      ...{ de60: 60, '6793': 11, def4: 76, defe: 71, de00: 64, de19: 44, de20: 33 },
      ...{ '6781': 70, '6782': 16, '6783': 50, '6784': 8, '6785': 17, '6787': 22 },
    });
    for (const name of names) expect(() => bench.gatt().write(name, new Uint8Array(99))).toThrow(/ATT 0x0[3d]/);
  });

  it('has a UUID of its own', () => {
    expect(new Set(names.map(uuidOf)).size).toBe(names.length);
    expect(uuidOf('def1')).toBe('12345678-1234-5678-1234-56789abcdef1');
    expect(uuidOf('6793')).toBe('12345678-1234-5678-9abc-def123456793');
  });

  it('with a length and no layout holds what was written, of its channel, until everything is reset', () => {
    const bench = gardenBench({ zones: [{}, {}, {}] });
    const [soil, name] = [Uint8Array.from({ length: 70 }, (_, index) => index), new Uint8Array(76).fill(7)];
    bench.gatt().write('6781', soil);
    bench.gatt().write('def4', Uint8Array.of(2));
    bench.gatt().write('def4', name);
    expect(() => bench.gatt().write('def4', new Uint8Array(75))).toThrow('ATT 0x0d');
    expect(() => bench.gatt().write('defe', Uint8Array.of(8))).toThrow('ATT 0x13');
    bench.garden.reboot();
    bench.wait(MINUTE);
    bench.comeBack();
    expect(bench.gatt().read('6781')).toEqual(soil);
    expect(bench.gatt().read('def4')).toEqual(new Uint8Array(76));
    bench.gatt().write('def4', Uint8Array.of(2));
    expect(bench.gatt().read('def4')).toEqual(name);
    bench.gatt().write('de21', Uint8Array.of(0xff, ...new Uint8Array(15)));
    const asked = bench.gatt().read('de21');
    bench.gatt().write('de21', Uint8Array.of(0xff, 0, ...asked.subarray(2, 6), ...new Uint8Array(10)));
    bench.wait(2_000);
    expect(bench.gatt().read('def4')).toEqual(new Uint8Array(76));
  });

  it('tells how a calibration gets on, five times a second', () => {
    const bench = gardenBench({ latitude: 20, subscribed: ['defb'] });
    const calibrate = (action: number) => bench.gatt().write('defb', Uint8Array.of(action, ...new Uint8Array(12)));
    bench.write(startRun(0, { minutes: 2 }));
    bench.wait(10_000);
    calibrate(1);
    bench.wait(1_000);
    const pulses = bench.notified('defb').map(({ bytes }) => FlowCalibration.read(bytes)?.pulses ?? 0);
    expect(pulses).toHaveLength(5);
    expect(pulses).toEqual([...pulses].sort((a, b) => a - b));
    expect(pulses.at(-1)).toBeGreaterThan(pulses[0] ?? 0);
    calibrate(0);
    bench.wait(MINUTE);
    expect(bench.notified('defb').length).toBeLessThanOrEqual(6);
  });

  it('keeps a calibration of the meter', () => {
    const bench = gardenBench({ latitude: 20, meterPulsesPerLitre: 600 });
    const calibrate = (action: number, ml = 0) =>
      bench.gatt().write('defb', Uint8Array.of(action, 0, 0, 0, 0, ml & 255, ml >> 8, 0, 0, 0, 0, 0, 0));
    expect(() => calibrate(4)).toThrow('ATT 0x03');
    calibrate(1);
    bench.write(startRun(0, { minutes: 2 }));
    bench.wait(5 * MINUTE);
    calibrate(0);
    calibrate(3, Math.round(bench.garden.truth.runs[0]?.millilitres ?? 0));
    calibrate(4);
    expect(new DataView(bench.gatt().read('def6').buffer).getUint32(2, true)).toBe(600);
    expect(() => bench.write(resetChannel(0, 'channel', 77))).toThrow('ATT 0x05');
  });
});
