import { describe, expect, it } from 'vitest';
import {
  dropReasonOf,
  HistoryDetailedEntry,
  HydraulicStatus,
  type Intent,
  isDone,
  isProven,
  isWatering,
  look,
  looksOf,
  RainIntegration,
  readiness,
  readsOf,
  refusalOf,
  type ScheduleIntent,
  type Seen,
  writesOf,
} from '../../../device-data/index.ts';
import { deviceBytes } from '../../support/device-bytes.ts';
import { clockBytes } from '../../support/garden-rows.ts';
import { alarmSeen, NOTHING, pending, resetSeen, seen, task } from '../../support/seen.ts';

const NOW = Date.UTC(2026, 6, 1, 12, 30);

const byMinutes: Intent = { kind: 'water', channel: 2, minutes: 10 };
const byLitres: Intent = { kind: 'water', channel: 2, litres: 20 };
const skip: Intent = { kind: 'skip_next', channel: 2, at: NOW };
const noSummerTime: Intent = { kind: 'set_time_zone', time_zone: { utc_offset_minutes: -180, dst: null } };
const clock: Intent = { kind: 'set_clock', time_zone: { utc_offset_minutes: 0, dst: null } };
const alarm: Intent = { kind: 'clear_alarm' };
const plain: ScheduleIntent = { repeats: 'weekly', hour: 6, minute: 30, amount: { minutes: 15 }, enabled: true };
const schedule: Intent = { kind: 'set_schedule', channel: 1, schedule: plain };
const reset = (what: 'channel' | 'schedule'): Intent => ({ kind: 'reset_channel', channel: 3, what });

const idle = [task(NOTHING), pending(0)];
const clockSeen = (at: number) => seen('def9', clockBytes(at));
const row = (at: number, { channel = 2, mode = 1, target = 10, actual = 0, trigger = 0 } = {}) =>
  seen(
    'defc',
    deviceBytes(HistoryDetailedEntry, {
      ...{ epoch: Math.floor(at / 1000), channel_id: channel, event: 1, mode, target, actual, trigger },
    }),
  );
const older = row(NOW - 3_600_000);
const locks = (shown: { channel_id?: number; lock_level?: number; global_level?: number }) =>
  seen('de22', deviceBytes(HydraulicStatus, shown));
const skippedByRain = (channel: number) => {
  const skip = Array.from({ length: 8 }, (_, at) => (at === channel ? 1 : 0));
  return seen('de18', deviceBytes(RainIntegration, { skip }));
};
const hexOf = (intent: Intent, resetCode?: number) =>
  writesOf(intent, { now: NOW, ...(resetCode !== undefined && { resetCode }) }).map(
    ({ characteristic, bytes }) => `${characteristic} ${Buffer.from(bytes).toString('hex')}`,
  );

describe('what a command writes', () => {
  it.each<[string, Partial<ScheduleIntent>, string]>([
    ['a weekly one without days', {}, '010000061e000f0001000000'],
    ['one of every third day', { repeats: 'every_n_days', interval_days: 3 }, '010103061e000f0001000000'],
    ['one of no interval yet that is off', { repeats: 'every_n_days', enabled: false }, '010100061e000f0000000000'],
    ['an automatic one, without days', { repeats: 'automatic', days: 3 }, '010200061e000f0001000000'],
    ['one by litres', { days: 1, amount: { litres: 20 } }, '010001061e01140001000000'],
    ['one before sunrise', { days: 1, solar: { event: 'sunrise', offset_minutes: -30 } }, '010001061e000f00010101e2'],
    ['one after sunset', { days: 1, solar: { event: 'sunset', offset_minutes: 30 } }, '010001061e000f000101001e'],
  ])('of a schedule is right for %s', (_, more, hex) => {
    const intent: Intent = { kind: 'set_schedule', channel: 1, schedule: { ...plain, ...more } };
    expect(hexOf(intent)).toEqual([`def5 ${hex}`]);
  });

  it('of a time zone without summer time has a rule that is off', () => {
    expect(hexOf(noSummerTime)).toEqual(['6793 4cff000000000000000000']);
  });

  it('of a reset carries the code that the device gave, and says what is reset', () => {
    expect(hexOf(reset('schedule'))).toEqual(['de21 02030000000000000000000000000000']);
    expect(hexOf(reset('channel'), 0x01020304)).toEqual(['de21 01030403020100000000000000000000']);
  });

  it('is followed by a look at what it changes', () => {
    expect(readsOf(schedule)).toEqual([{ characteristic: 'def5', channel: 1 }]);
    expect(readsOf(skip)).toEqual(readsOf(byMinutes));
    expect(looksOf(byLitres)).toEqual([{ characteristic: 'defc', channel: 2 }, { characteristic: 'def9' }]);
    expect(looksOf(schedule)).toEqual([]);
  });

  it.each<[Intent, boolean]>([
    [byMinutes, true],
    [{ kind: 'resume' }, true],
    [{ kind: 'start_next' }, true],
    [{ kind: 'stop' }, false],
  ])('makes water flow only if it starts a run: %j', (intent, isFlowing) => {
    expect(isWatering(intent)).toBe(isFlowing);
  });
});

describe('evidence', () => {
  it.each<[string, Intent, readonly Seen[], boolean]>([
    ['a run by litres', byLitres, [task(2, { mode: 1, target: 20_000 })], true],
    ['a run by minutes where litres were wanted', byLitres, [task(2, { target: 20_000 })], false],
    ['a stop of which nothing is seen', { kind: 'stop' }, [], false],
    ['a stop with an unread queue', { kind: 'stop' }, [task(NOTHING)], false],
    ['a pause of which nothing is seen', { kind: 'pause' }, [], false],
    ['a pause of nothing', { kind: 'pause' }, [task(NOTHING, { status: 2 })], false],
    ['a pause of a run that goes on', { kind: 'pause' }, [task(2)], false],
    ['a resumed run', { kind: 'resume' }, [task(2)], true],
    ['a resumed run that stays paused', { kind: 'resume' }, [task(2, { status: 2 })], false],
    ['a next run', { kind: 'start_next' }, [task(1)], true],
    ['a next run that did not come', { kind: 'start_next' }, [task(NOTHING)], false],
    ['a next run of which nothing is seen', { kind: 'start_next' }, [], false],
    ['an empty queue', { kind: 'clear_queue' }, [pending(0)], true],
    ['a queue with a run', { kind: 'clear_queue' }, [pending(1)], false],
    ['a queue that was not read', { kind: 'clear_queue' }, [], false],
    ['a run to be skipped that goes on', skip, [task(2)], false],
    ['an alarm that stays', alarm, [alarmSeen(3)], false],
    ['an alarm that was not read', alarm, [], false],
    ['a reset channel', reset('channel'), [resetSeen(1, 1), resetSeen(1, 3)], true],
    ['a reset schedule', reset('schedule'), [resetSeen(2, 2), resetSeen(2, 3)], true],
    ['a reset that was done before, or by somebody else', reset('channel'), [resetSeen(1, 3)], false],
    ['a reset after one of another channel', reset('channel'), [resetSeen(1, 1, 2), resetSeen(1, 3)], false],
    ['a skipped run', skip, [task(2, { elapsed: 30 }), task(NOTHING)], true],
    [
      'a stopped run that began long before the one to be skipped',
      skip,
      [task(2, { elapsed: 600 }), task(NOTHING)],
      false,
    ],
    ['a reset of something else', reset('schedule'), [resetSeen(1, 3)], false],
    ['a reset under way', reset('channel'), [resetSeen(1, 2)], false],
    ['a reset of which nothing is seen', reset('channel'), [], false],
    ['a clock without its rule', clock, [clockSeen(NOW)], false],
    ['a schedule that was not read', schedule, [], false],
    ['a rule that is too short', noSummerTime, [seen('6793', Uint8Array.of(0x4c, 0xff))], false],
  ])('is right about %s', (_, intent, readings, isEvidence) => {
    expect(isDone(intent, readings, NOW)).toBe(isEvidence);
    expect(isProven(intent, readings, NOW - 1_000, NOW)).toBe(isEvidence);
  });

  it('lets a run be skipped that is running, and a setting be written that differs', () => {
    expect(readiness(skip, [task(2)], NOW)).toBe('write');
    expect(readiness(skip, [], NOW)).toBe('wait');
    expect(readiness(skip, [task(2, { elapsed: 600 })], NOW)).toBe('wait');
    expect(readiness(reset('channel'), [resetSeen(1, 3)], NOW)).toBe('write');
    expect(readiness(alarm, [alarmSeen(3)], NOW)).toBe('write');
    expect(readiness(byMinutes, [task(NOTHING)], NOW)).toBe('wait');
  });
});

describe('a look before writing again', () => {
  it.each<[string, Intent, readonly Seen[], string]>([
    ['a run that is seen', byMinutes, [task(2, { target: 600 })], 'done'],
    ['a run in the history', byMinutes, [...idle, row(NOW)], 'done'],
    ['a run by litres in the history', byLitres, [...idle, row(NOW, { mode: 0, target: 20 })], 'done'],
    ['a busy device', byMinutes, [task(1), pending(0), older], 'wait'],
    ['an older run only', byMinutes, [...idle, clockSeen(NOW), older], 'not_done'],
    ['a run of the schedule', byMinutes, [...idle, clockSeen(NOW), older, row(NOW, { trigger: 1 })], 'not_done'],
    ['a run of another length', byMinutes, [...idle, clockSeen(NOW), older, row(NOW, { target: 11 })], 'not_done'],
    ['litres for minutes', byMinutes, [...idle, clockSeen(NOW), older, row(NOW, { mode: 0 })], 'not_done'],
    ['minutes for litres', byLitres, [...idle, clockSeen(NOW), older, row(NOW, { target: 20 })], 'not_done'],
    ['other litres', byLitres, [...idle, clockSeen(NOW), older, row(NOW, { mode: 0 })], 'not_done'],
    ['a stop', byMinutes, [...idle, clockSeen(NOW), older, row(NOW, { target: 0, actual: 5 })], 'not_done'],
    ['a run of another channel', byMinutes, [...idle, clockSeen(NOW), older, row(NOW, { channel: 3 })], 'not_done'],
    ['a history without an older row', byMinutes, [...idle, clockSeen(NOW)], 'unclear'],
    ['a wrong clock', byMinutes, [...idle, clockSeen(NOW - 121_000), older], 'unclear'],
    ['no clock', byMinutes, [...idle, older], 'unclear'],
    ['a run like it that began before', byMinutes, [task(2, { target: 600, elapsed: 60 }), pending(0), older], 'wait'],
    ['litres that began before', byLitres, [task(2, { mode: 1, target: 20_000, elapsed: 60 }), pending(0)], 'wait'],
    ['a start like it just before', byMinutes, [...idle, clockSeen(NOW), older, row(NOW - 60_000)], 'unclear'],
    ['one by a clock that is behind', byMinutes, [...idle, clockSeen(NOW - 60_000), older, row(NOW - 60_000)], 'done'],
    ['one by a lost clock', byMinutes, [...idle, clockSeen(NOW), older, row(Date.UTC(2023, 0, 1, 3))], 'unclear'],
    ['a start like it long before', byMinutes, [...idle, clockSeen(NOW), row(NOW - 600_000)], 'not_done'],
    ['a reset that may be this one', reset('channel'), [resetSeen(1, 3)], 'unclear'],
    ['a reset of another channel', reset('channel'), [resetSeen(1, 3, 2)], 'not_done'],
    ['a setting that is as wanted', alarm, [alarmSeen(0)], 'done'],
    ['a setting that is not', alarm, [alarmSeen(3)], 'not_done'],
    ['a skipped run', skip, [task(2), task(NOTHING)], 'not_done'],
  ])('is right about %s', (_, intent, readings, looked) => {
    expect(look(intent, readings, NOW, NOW)).toBe(looked);
  });
});

describe('a refusal', () => {
  it.each<[number, Intent, string]>([
    ...([0x07, 0x0d, 0x13] as const).map((error): [number, Intent, string] => [error, schedule, 'value_not_allowed']),
    [0x05, reset('channel'), 'wrong_code'],
    [0x11, schedule, 'not_saved'],
    [0x0e, clock, 'no_clock'],
    [0x0e, noSummerTime, 'device_error'],
    [0x80, byMinutes, 'device_error'],
    [0x03, alarm, 'not_permitted'],
  ])('by error %i of %j is told as it is', (error, intent, refusal) => {
    expect(refusalOf(intent, error, [])).toBe(refusal);
  });

  it.each<[string, Intent, readonly Seen[], string]>([
    ['a stop, unseen', { kind: 'stop' }, [], 'nothing_to_do'],
    ['a pause of nothing', { kind: 'pause' }, [task(NOTHING)], 'nothing_to_do'],
    ['a resume of a run', { kind: 'resume' }, [task(2)], 'not_permitted'],
    ['a skip of a run', skip, [task(2)], 'not_permitted'],
    ['a run on a wet channel', byMinutes, [skippedByRain(2)], 'rain_skip'],
    ['a run beside a wet channel', byMinutes, [skippedByRain(3)], 'not_permitted'],
    ['a run when the rain cannot be read', byMinutes, [seen('de18', Uint8Array.of(1))], 'not_permitted'],
    ['a setting while it rains', schedule, [skippedByRain(1)], 'not_permitted'],
    ['a run of a device that is well', byMinutes, [seen('def3', Uint8Array.of(0)), pending(9)], 'not_permitted'],
    ['a next run in frost', { kind: 'start_next' }, [seen('def3', Uint8Array.of(6))], 'freeze'],
  ])('of %s has the reason that is seen', (_, intent, readings, refusal) => {
    expect(refusalOf(intent, 0x03, readings)).toBe(refusal);
  });

  it.each<[string, Intent, readonly Seen[], string]>([
    ['the lock of all', byMinutes, [locks({ global_level: 1 })], 'device_locked'],
    ['the lock of its channel', byMinutes, [locks({ channel_id: 2, lock_level: 1 })], 'channel_locked'],
    ['the lock of another channel', byMinutes, [locks({ channel_id: 3, lock_level: 1 })], 'unknown'],
    ['no lock', byMinutes, [locks({ channel_id: 2 })], 'unknown'],
    ['a lock, for what is no run', { kind: 'resume' }, [locks({ channel_id: 2, lock_level: 1 })], 'unknown'],
  ])('without an error is put down to %s', (_, intent, readings, reason) => {
    expect(dropReasonOf(intent, readings)).toBe(reason);
  });
});
