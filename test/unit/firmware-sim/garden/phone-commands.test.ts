import {
  FlowCalibration,
  HydraulicStatus,
  queueCommand,
  RainHistoryCommand,
  type Read,
  ResetControl,
  runCommand,
  Schedule,
  Statistics,
  startRun,
  TaskQueue,
  ValveControl,
} from '@autowatering/device-data';
import { Garden, openGatt } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { DAY, type GardenBench, gardenBench, HOUR, MINUTE } from '../../../support/garden.ts';

const KEEP = 0xff_ff_ff_ff;
const nothingSaid = { pulses: 0, volume_ml: 0, pulses_per_litre: 0 };
const weekly = { schedule: { hour: 7, minute: 0, amount: { minutes: 10 } }, mlPerMinute: 2_000 };

const scheduleOf = (bench: GardenBench, channel: number) => {
  bench.gatt().write('def5', Uint8Array.of(channel));
  return bench.read('def5', Schedule);
};
/** Asks for a reset's code, reads it and writes it back. */
function reset(bench: GardenBench, type: number, channel = 0) {
  const ask = { type, channel_id: channel, code: 0, status: 0, timestamp: 0, progress: new Uint8Array(5) };
  bench.gatt().write('de21', ResetControl.write(ask));
  bench.gatt().write('de21', ResetControl.write({ ...ask, code: bench.read('de21', ResetControl).code }));
  bench.wait(2_000);
}

describe('a phone’s command', () => {
  it('to the queue tells in a notification what it could not do', () => {
    const bench = gardenBench({ subscribed: ['def7'] });
    const told = () => {
      bench.wait(1_000);
      const last = bench.notified('def7').at(-1);
      return last && TaskQueue.read(last.bytes);
    };
    for (const [command, error] of [
      ['start-next', 1],
      ['pause', 2],
      ['resume', 2],
      ['cancel', 1],
    ] as const) {
      bench.write(queueCommand(command));
      expect(told(), command).toMatchObject({ task_type: 0xff, value: error });
    }
    const unknown = { ...bench.read('def7', TaskQueue), command: 9 };
    bench.gatt().write('def7', TaskQueue.write(unknown));
    expect(told()).toMatchObject({ task_type: 0xff, value: 2 });
    bench.gatt().write('def7', TaskQueue.write({ ...unknown, command: 0 }));
    bench.write(startRun(1, { minutes: 5 }));
    bench.wait(5_000);
    bench.write(queueCommand('start-next'));
    expect(told()).toMatchObject({ task_type: 0xff, value: 3 });
    bench.write(queueCommand('pause'));
    bench.wait(1_000);
    bench.write(queueCommand('resume'));
    bench.write(queueCommand('cancel'));
    bench.wait(5_000);
    expect(bench.task()?.channel_id).toBe(0xff);
  });

  it('to the master valve needs one', () => {
    const master = (type: number) => ValveControl.write({ channel_id: 0xff, task_type: type, value: 0 });
    const bench = gardenBench({ hasMaster: true });
    bench.gatt().write('def1', master(1));
    bench.gatt().write('def1', master(0));
    expect(() => bench.gatt().write('def1', master(2))).toThrow('master 2');
    expect(() => gardenBench({ hasMaster: false }).gatt().write('def1', master(1))).toThrow('no master valve');
  });

  it('to the statistics changes what it names, and a last amount becomes a row of history', () => {
    const bench = gardenBench();
    const kept = { channel_id: 3, total_ml: KEEP, last_ml: KEEP, last_watering_epoch: KEEP, count: 0xff_ff };
    const write = (more: Partial<Read<typeof Statistics>>) =>
      bench.gatt().write('def8', Statistics.write({ ...kept, ...more }));
    write({ total_ml: 9_000, last_watering_epoch: 1_770_000_000, count: 4 });
    bench.gatt().write('def8', Uint8Array.of(3));
    const changed = { total_ml: 9_000, last_ml: 0, last_watering_epoch: 1_770_000_000, count: 4 };
    expect(bench.read('def8', Statistics)).toMatchObject(changed);
    expect(bench.entries(3)).toEqual([]);
    write({ last_ml: 700 });
    expect(bench.read('def8', Statistics)).toMatchObject({ ...changed, last_ml: 700 });
    expect(bench.entries(3)).toMatchObject([{ actual: 700 }]);
  });

  it('to clear an alarm names the one that is there, or all', () => {
    const bench = gardenBench();
    for (const wrong of [Uint8Array.of(2), Uint8Array.of(0x0e)])
      expect(() => bench.gatt().write('defa', wrong)).toThrow('ATT 0x');
    expect(() => bench.gatt().write('defa', Uint8Array.of(0, 0))).toThrow('one byte');
    bench.gatt().write('defa', Uint8Array.of(0));
    bench.gatt().write('defa', Uint8Array.of(0xff));
  });

  it('to the meter’s calibration counts, computes and applies, and takes back', () => {
    const bench = gardenBench({ zones: [weekly] });
    const calibrate = (action: number, ml = 0) =>
      bench.gatt().write('defb', FlowCalibration.write({ ...nothingSaid, action, volume_ml: ml }));
    const pulsesPerLitre = () => bench.read('defb', FlowCalibration).pulses_per_litre;
    const usual = pulsesPerLitre();
    expect(() => calibrate(4)).toThrow('nothing was computed');
    expect(() => calibrate(3, 0)).toThrow('nothing to compute from');
    expect(() => calibrate(2)).toThrow('action 2');
    bench.write(startRun(0, { minutes: 5 }));
    bench.wait(MINUTE);
    calibrate(1);
    bench.wait(2 * MINUTE);
    expect(bench.read('defb', FlowCalibration)).toMatchObject({ action: 1, pulses: expect.any(Number) });
    // Half of what has flowed: the meter seems to turn twice as fast.
    calibrate(3, 2_000);
    expect(pulsesPerLitre()).toBeGreaterThan(usual * 1.8);
    calibrate(0);
    calibrate(3, 2_000);
    calibrate(4);
    expect(pulsesPerLitre()).toBeGreaterThan(usual * 1.8);
    calibrate(5);
    calibrate(0);
  });

  it.each([
    ['one schedule', 2, 1, [true, false, true]],
    ['all schedules', 0x11, 0, [false, false, false]],
    ['a zone', 1, 2, [true, true, false]],
    ['all zones', 0x10, 0, [false, false, false]],
    ['the system', 0x12, 0, [true, true, true]],
    ['everything', 0xff, 0, [false, false, false]],
  ] as const)('to reset %s does it once its code is written back', (_what, type, channel, enabled) => {
    const bench = gardenBench({ zones: [weekly, weekly, weekly] });
    expect([0, 1, 2].map((each) => scheduleOf(bench, each).enabled)).toEqual([1, 1, 1]);
    reset(bench, type, channel);
    expect(bench.read('de21', ResetControl)).toMatchObject({ type, status: 3 });
    expect([0, 1, 2].map((each) => scheduleOf(bench, each).enabled === 1)).toEqual(enabled);
  });

  it('to reset needs the right code within five minutes', () => {
    const bench = gardenBench({ zones: [weekly] });
    const ask = { type: 2, channel_id: 0, code: 0, status: 0, timestamp: 0, progress: new Uint8Array(5) };
    const write = (more: Partial<Read<typeof ResetControl>>) =>
      bench.gatt().write('de21', ResetControl.write({ ...ask, ...more }));
    expect(() => write({ type: 3 })).toThrow('reset 3');
    expect(() => write({ channel_id: 8 })).toThrow('channel 8');
    write({});
    const { code } = bench.read('de21', ResetControl);
    expect(() => write({ code: code - 1 })).toThrow('the code is another one');
    bench.wait(6 * MINUTE);
    expect(bench.read('de21', ResetControl)).toMatchObject({ status: 0, code: 0 });
    expect(() => write({ code })).toThrow('the code is another one');
    expect(scheduleOf(bench, 0).enabled).toBe(1);
  });

  it('that the device does not know is refused: what is not read, not written, not notified or too long', () => {
    const bench = gardenBench({ mtu: 23 });
    const gatt = bench.gatt();
    expect(() => gatt.write('de15', Uint8Array.of(1))).toThrow('de15 is not written');
    expect(() => gatt.subscribe('de60')).toThrow('de60 never notifies');
    expect(() => gatt.write('deff', new Uint8Array(21))).toThrow('longer than a packet');
    expect(() => gatt.write('deff', Uint8Array.of(0, 0))).toThrow('a command is one byte');
    expect(() => bench.write(runCommand('stop'))).toThrow('nothing to act on');
    expect(() => gatt.write('def8', Uint8Array.of(8))).toThrow('channel 8');
    expect(() => gatt.write('def5', Uint8Array.of(0xff))).toThrow('channel 255');
  });
});

describe('a channel of 255', () => {
  it('is the one that is being watered for its hydraulics, and the first without one otherwise', () => {
    const bench = gardenBench({ zones: [weekly, weekly, weekly] });
    const channel = () => bench.read('de22', HydraulicStatus).channel_id;
    bench.gatt().write('de22', Uint8Array.of(0xff));
    expect(channel()).toBe(0);
    bench.write(startRun(2, { minutes: 5 }));
    bench.wait(5_000);
    expect(channel()).toBe(2);
    bench.gatt().write('de17', Uint8Array.of(0xff));
    expect(bench.gatt().read('de17')[0]).toBe(0);
  });
});

describe('rain history', () => {
  const request = (command: number, more: Partial<Read<typeof RainHistoryCommand>> = {}) =>
    RainHistoryCommand.write({
      ...{ command, start_epoch: 0, end_epoch: 0, max_entries: 0, data_type: 0, reserved: new Uint8Array(4), ...more },
    });

  it('comes by days, hours or as sums, and is forgotten when a phone says so', () => {
    const bench = gardenBench();
    bench.wait(3 * DAY);
    expect(bench.answerTo('de14', request(1))).toMatchObject({ dataType: 0, status: 0 });
    expect(bench.answerTo('de14', request(2))).toMatchObject({ dataType: 1, status: 0 });
    expect(bench.answerTo('de14', request(3))).toMatchObject({ dataType: 0xfe, entryCount: 1 });
    expect(bench.answerTo('de14', request(1, { start_epoch: 9, end_epoch: 5 })).status).not.toBe(0);
    expect(bench.answerTo('de14', request(0x77)).status).not.toBe(0);
    for (const command of [0x10, 0x20]) bench.answerTo('de14', request(command));
    expect(bench.answerTo('de14', request(2)).entryCount).toBeLessThanOrEqual(3);
  });
});

describe('a connection', () => {
  const peer = () => ({ mtu: 247, notify: () => {} });

  it('is to one phone at a time, which another waits for', () => {
    const garden = new Garden({ startsAt: Date.UTC(2026, 5, 1), seed: 1 });
    const first = openGatt(garden, peer());
    expect(() => openGatt(garden, peer())).toThrow('another phone is connected');
    expect(() => garden.gatt.connect(peer())).toThrow('one connection at a time');
    first.close();
    const second = openGatt(garden, peer());
    first.close();
    expect(second.read('def3')).toHaveLength(1);
    expect(() => first.read('def3')).toThrow('the connection was lost');
    garden.advanceTo(garden.now + HOUR);
    garden.reboot();
    expect(() => second.read('def3')).toThrow('the connection was lost');
  });
});
