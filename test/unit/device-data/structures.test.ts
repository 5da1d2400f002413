import {
  Alarm,
  createFragmentReader,
  Diagnostics,
  deviceStatus,
  fragmentsOf,
  HistoryDetailedEntry,
  HistoryFragmentHeader,
  HistoryRealtimeNotify,
  lockOf,
  RainConfig,
  readDetailedEntries,
  Schedule,
  wateringNotice,
  wateringRow,
} from '@autowatering/device-data';
import { describe, expect, it } from 'vitest';

const entry = {
  ...{ epoch: 1_774_414_800, channel_id: 1, event: 1, mode: 0, target: 0, actual: 0, actual_copy: 0, trigger: 0 },
  ...{ success: 0, error: 0, avg_flow_ml_s: 0, zero: new Uint8Array(6) },
};

describe('a structure', () => {
  it('is not read from bytes of another length, which another firmware may send', () => {
    expect(Alarm.read(new Uint8Array(Alarm.bytes))).toMatchObject({ alarm_code: 0 });
    for (const length of [0, Alarm.bytes - 1, Alarm.bytes + 1])
      expect(Alarm.read(new Uint8Array(length))).toBeUndefined();
    expect(readDetailedEntries(new Uint8Array(HistoryDetailedEntry.bytes + 1))).toBeUndefined();
  });

  it('is not written with a value that does not fit: it would become another command', () => {
    const alarm = { alarm_code: 1, alarm_data: 0, epoch: 0 };
    for (const code of [-1, 256, 0.5, Number.NaN])
      expect(() => Alarm.write({ ...alarm, alarm_code: code })).toThrow(RangeError);
    expect(() => Alarm.write({ ...alarm, epoch: 2 ** 32 })).toThrow('not a whole number from 0 to 4294967295');
    const diagnostics = { uptime_min: 0, error_count: 0, last_error: 0, valve_bitmap: 0, battery: 0 };
    expect(() => Diagnostics.write({ ...diagnostics, reserved: new Uint8Array(2) })).toThrow('expected 3 bytes, not 2');
    const config = RainConfig.read(new Uint8Array(RainConfig.bytes));
    if (config === undefined) throw new Error('another length');
    expect(() => RainConfig.write({ ...config, mm_per_pulse: Number.POSITIVE_INFINITY })).toThrow(
      'not a finite number',
    );
    expect(Schedule.read(new Uint8Array(Schedule.bytes))).toBeDefined();
  });
});

describe('an answer in parts', () => {
  const answer = (bytes: number) => ({ dataType: 0, status: 0, entryCount: 1, body: new Uint8Array(bytes) });

  it('is broken by a part beyond the last', () => {
    const [part = new Uint8Array()] = fragmentsOf(answer(1), 247);
    const header = HistoryFragmentHeader.read(part.subarray(0, HistoryFragmentHeader.bytes));
    if (header === undefined) throw new Error('another length');
    const beyond = HistoryFragmentHeader.write({ ...header, fragment_index: 3 });
    expect(createFragmentReader().add(new Uint8Array([...beyond, 0]))).toMatchObject({ kind: 'broken' });
  });

  it('is not made for packets without room, nor of more parts than can be counted', () => {
    expect(() => fragmentsOf(answer(1), 11)).toThrow('carries no part');
    expect(() => fragmentsOf(answer(20_000), 23)).toThrow('more than 255 parts');
  });
});

describe('codes that this reader does not know', () => {
  it('are read as unknown, not as something else', () => {
    expect(deviceStatus(200)).toBe('unknown');
    expect(wateringRow({ ...entry, target: 5, trigger: 99 })).toMatchObject({ trigger: 'unknown' });
    for (const event of [1, 3])
      expect(wateringRow({ ...entry, event, success: 3, error: 9 })).toEqual({ kind: 'skip', reason: 'other' });
    expect(lockOf(1, 77, 5, 9)).toMatchObject({ level: 'soft', reason: 'unknown' });
    const notice = HistoryRealtimeNotify.read(new Uint8Array(HistoryRealtimeNotify.bytes));
    expect(notice && wateringNotice({ ...notice, event: 2 })).toBeUndefined();
  });
});
