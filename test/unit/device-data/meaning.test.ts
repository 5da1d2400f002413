import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Alarm,
  clearAlarms,
  createFragmentReader,
  deviceAlarm,
  fragmentsOf,
  HistoryDetailedEntry,
  HistoryRealtimeNotify,
  hasRebooted,
  isTrustedEpoch,
  isWateringNotice,
  lockOf,
  queueCommand,
  resetChannel,
  runCommand,
  setClock,
  setSchedule,
  setTimeZone,
  severityOf,
  startRun,
  timeOfUptime,
  uptimeFromDiagnostics,
  wateringNotice,
  wateringRow,
} from '../../../device-data/index.ts';

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex');
const row = (data: string) => {
  const entry = HistoryDetailedEntry.read(bytes(data));
  if (entry === undefined) throw new Error('not a row');
  return wateringRow(entry);
};
const alarm = (data: string) => {
  const read = Alarm.read(bytes(data));
  if (read === undefined) throw new Error('not an alarm');
  return deviceAlarm(read);
};

describe('a detailed row', () => {
  it('says that a run was started, and for how long', () => {
    expect(row('d06bc3690201010f00000000000100000000000000000000')).toEqual({
      kind: 'start',
      target: { unit: 'minutes', value: 15 },
      trigger: 'schedule',
    });
  });

  it('says that a run was stopped after so many minutes or litres', () => {
    expect(row('7e6dc3690201000000070007000000000000000000000000')).toEqual({ kind: 'stop', actual: 7 });
  });

  it('says that rain or frost skipped a run', () => {
    expect(row('d06bc3690201000000000000000003000000000000000000')).toEqual({ kind: 'skip', reason: 'rain' });
    expect(row('d06bc3690203000000000000000003040000000000000000')).toEqual({ kind: 'skip', reason: 'freeze' });
  });

  it('is not a run when statistics were reset or written', () => {
    expect(row('d06bc3690203000000000000000002070000000000000000')).toEqual({ kind: 'statistics-reset' });
    expect(row('d06bc36902010000008813881300000000000000000000000'.slice(0, 48))).toEqual({
      kind: 'statistics-write',
      millilitres: 5000,
    });
  });

  it('is never read as a success', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 24 }), (data) => {
        expect(['start', 'stop', 'skip', 'statistics-reset', 'statistics-write', 'unknown']).toContain(
          row(hex(data)).kind,
        );
      }),
    );
  });
});

describe('an unasked notice', () => {
  const stopped = bytes('02000001d06bc369d06bc369d06bc369020100b414b414b414010100ee020000');

  it('is told from a part of an answer', () => {
    expect(isWateringNotice(stopped)).toBe(true);
    const [part] = fragmentsOf({ dataType: 0, status: 0, entryCount: 1, body: new Uint8Array(24) }, 247);
    expect(isWateringNotice(part ?? stopped)).toBe(false);
  });

  it('gives a time when a run stopped, and only an uptime when it started', () => {
    const read = HistoryRealtimeNotify.read(stopped);
    expect(read && wateringNotice(read)).toEqual({
      kind: 'stopped',
      channel: 2,
      epochS: 1_774_414_800,
      millilitres: 5_300,
    });
    const started = HistoryRealtimeNotify.read(
      bytes('02000001100e0000100e0000100e0000020000000000000000010000ee020000'),
    );
    expect(started && wateringNotice(started)).toEqual({ kind: 'started', channel: 2, uptimeS: 3_600 });
  });
});

describe('an alarm', () => {
  it('means what its code makes of the data', () => {
    expect(alarm('010200d06bc369')).toEqual({ kind: 'no-flow', attempt: 2 });
    expect(alarm('03f1ffd06bc369')).toEqual({ kind: 'freeze', celsius: -1.5 });
    expect(alarm('03ffffd06bc369')).toEqual({ kind: 'freeze-unknown' });
    expect(alarm('010000d06bc369')).toEqual({ kind: 'recovered', from: 'no-flow' });
    expect(alarm('040000d06bc369')).toEqual({ kind: 'high-flow', channel: 0 });
  });

  it('has the severity that the app shows, also when its code is new', () => {
    expect(severityOf(alarm('060900d06bc369'))).toBe('critical');
    expect(severityOf(alarm('050100d06bc369'))).toBe('warning');
    expect(alarm('0d0100d06bc369')).toEqual({ kind: 'unknown', code: 13, data: 1 });
  });
});

describe('the device’s clock', () => {
  const received = Date.parse('2026-03-25T08:00:00Z');

  it('is not believed after it fell back to 2023, nor when it is far ahead', () => {
    expect(isTrustedEpoch(Date.parse('2023-01-01T03:25:45Z') / 1000, received)).toBe(false);
    expect(isTrustedEpoch(Date.parse('2026-03-25T05:00:00Z') / 1000, received)).toBe(true);
    expect(isTrustedEpoch(Date.parse('2027-03-25T05:00:00Z') / 1000, received)).toBe(false);
  });

  it('turns uptime into a time, as exactly as the reading allows', () => {
    const reading = uptimeFromDiagnostics(100, received);
    expect(timeOfUptime(40 * 60_000, reading)).toEqual({ at: received - 60 * 60_000, uncertaintyMs: 60_000 });
    expect(timeOfUptime(200 * 60_000, reading)).toBeUndefined();
  });

  it('goes on when the milliseconds wrap after 49.7 days', () => {
    const reading = { phoneTimeMs: received, uptimeMs: 1_000, source: 'environment' } as const;
    expect(timeOfUptime(2 ** 32 - 1_000, reading)?.at).toBe(received - 2_000);
  });

  it('shows a reboot by an uptime that is too small', () => {
    const before = uptimeFromDiagnostics(1_000, received);
    expect(hasRebooted(before, uptimeFromDiagnostics(5, received + 60 * 60_000))).toBe(true);
    expect(hasRebooted(before, uptimeFromDiagnostics(1_060, received + 60 * 60_000))).toBe(false);
  });
});

describe('a lock', () => {
  it('has a next try only when it is soft', () => {
    expect(lockOf(1, 2, 100, 1_000)).toEqual({
      level: 'soft',
      reason: 'no-flow',
      sinceEpochS: 100,
      retryEpochS: 1_000,
    });
    expect(lockOf(2, 4, 100, 0)).toEqual({
      level: 'hard',
      reason: 'mainline-leak',
      sinceEpochS: 100,
      retryEpochS: null,
    });
    expect(lockOf(0, 0, 0, 0)).toEqual({ level: 'none' });
  });
});

describe('a history answer', () => {
  const answers = fc.record({
    body: fc.uint8Array({ maxLength: 3_000 }),
    mtu: fc.integer({ min: 31, max: 247 }),
    order: fc.infiniteStream(fc.nat()),
  });

  it('is put together from its parts, in any order and with repetitions', () => {
    fc.assert(
      fc.property(answers, ({ body, mtu, order }) => {
        const parts = [...fragmentsOf({ dataType: 1, status: 0, entryCount: 7, body }, mtu)];
        const reader = createFragmentReader();
        const shuffled = parts
          .flatMap((part) => [part, part])
          .map((part) => ({ part, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at);
        const complete = shuffled.map(({ part }) => reader.add(part)).findLast(({ kind }) => kind === 'complete');
        expect(complete?.kind === 'complete' && hex(complete.answer.body)).toBe(hex(body));
      }),
    );
  });

  it('is broken by a part that was cut short or belongs elsewhere', () => {
    const [first] = fragmentsOf({ dataType: 0, status: 0, entryCount: 9, body: new Uint8Array(500) }, 247);
    const [foreign] = fragmentsOf({ dataType: 1, status: 0, entryCount: 9, body: new Uint8Array(900) }, 247);
    if (first === undefined || foreign === undefined) throw new Error('no part');
    const reader = createFragmentReader();
    expect(reader.add(first.subarray(0, 100)).kind).toBe('broken');
    expect(reader.add(first.subarray(0, 3)).kind).toBe('broken');
    expect(reader.add(first)).toEqual({ kind: 'more', received: 1, total: 3 });
    expect(reader.add(foreign).kind).toBe('broken');
  });

  it('ends with the device’s error', () => {
    const [error] = fragmentsOf({ dataType: 0xff, status: 1, entryCount: 0, body: new Uint8Array(1) }, 247);
    expect(error && createFragmentReader().add(error)).toMatchObject({ kind: 'complete', answer: { status: 1 } });
  });
});

describe('a command', () => {
  it('has the bytes that the firmware reads', () => {
    expect(hex(startRun(2, { minutes: 15 }).bytes)).toBe('02000f00');
    expect(hex(startRun(7, { litres: 1_000 }).bytes)).toBe('0701e803');
    expect(hex(queueCommand('pause').bytes)).toBe('000000000000020000');
    expect(hex(runCommand('stop').bytes)).toBe('00');
    expect(hex(clearAlarms().bytes)).toBe('00');
    expect(hex(resetChannel(2, 'channel', 439_041_101).bytes)).toBe('01024d3c2b1a00000000000000000000');
    expect(hex(setClock(new Date('2026-03-25T05:00:00Z'), 120, false).bytes)).toBe('1a031907000003780000000000000000');
    expect(hex(setClock(new Date('2026-11-24T09:00:00Z'), -210, false).bytes)).toBe('1a0b18051e00022eff00000000000000');
  });

  it('sets a schedule and a time zone', () => {
    const schedule = { channel_id: 4, type: 1, days_or_interval: 3, hour: 6, minute: 0, mode: 1, value: 20 };
    const solar = { enabled: 1, solar: 1, solar_event: 1, solar_offset_min: -30 };
    expect(hex(setSchedule({ ...schedule, ...solar }).bytes)).toBe('0401030600011400010101e2');
    const romania = { utc_offset_min: 120, dst_enabled: 1, start_month: 3, start_week: 5, start_dow: 0 };
    const back = { end_month: 10, end_week: 5, end_dow: 0, dst_offset_min: 60 };
    expect(hex(setTimeZone({ ...romania, ...back }).bytes)).toBe('7800010305000a05003c00');
  });

  it('is refused when it is out of range', () => {
    expect(() => startRun(8, { minutes: 1 })).toThrow(/no channel 8/);
    expect(() => startRun(0, { minutes: 1_441 })).toThrow(/1 to 1440 minutes/);
    expect(() => startRun(0, { litres: 0.5 })).toThrow(RangeError);
    expect(() => resetChannel(0xff, 'channel')).toThrow(RangeError);
    const never = { channel_id: 0, type: 0, days_or_interval: 1, hour: 6, minute: 0, mode: 0, value: 0 };
    const off = { enabled: 1, solar: 0, solar_event: 0, solar_offset_min: 0 };
    expect(() => setSchedule({ ...never, ...off })).toThrow(/needs an amount/);
    expect(() => setSchedule({ ...never, ...off, value: 5, hour: 24 })).toThrow(/out of range/);
    const zone = { dst_enabled: 0, start_month: 0, start_week: 0, start_dow: 0, end_month: 0, end_week: 0, end_dow: 0 };
    expect(() => setTimeZone({ ...zone, utc_offset_min: 900, dst_offset_min: 0 })).toThrow(RangeError);
  });
});
