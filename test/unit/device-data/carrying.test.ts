import { describe, expect, it } from 'vitest';
import {
  dropReasonOf,
  HydraulicStatus,
  INTENT_KINDS,
  type Intent,
  isDone,
  look,
  readiness,
  readsOf,
  refusalOf,
  type Seen,
  writesOf,
} from '../../../device-data/index.ts';
import { deviceBytes } from '../../support/device-bytes.ts';
import { alarmSeen, NOTHING, pending, resetSeen, seen, task } from '../../support/seen.ts';

const NOW = Date.UTC(2026, 6, 1, 12, 30);
const zone = {
  utc_offset_minutes: 120,
  dst: { offset_minutes: 60, start: { month: 3, week: 5, day: 0 }, end: { month: 10, week: 5, day: 0 } },
} as const;
const schedule = {
  repeats: 'weekly',
  days: 0b0101010,
  hour: 6,
  minute: 30,
  amount: { litres: 20 },
  enabled: true,
} as const;

const water: Intent = { kind: 'water', channel: 2, minutes: 10 };
const INTENTS: readonly Intent[] = [
  water,
  { kind: 'water', channel: 2, litres: 300 },
  ...(['stop', 'pause', 'resume', 'start_next', 'clear_queue', 'clear_alarm'] as const).map((kind) => ({ kind })),
  { kind: 'skip_next', channel: 2, at: NOW },
  { kind: 'set_schedule', channel: 1, schedule },
  { kind: 'set_clock', time_zone: zone },
  { kind: 'set_time_zone', time_zone: zone },
  { kind: 'reset_channel', channel: 3, what: 'channel' },
];

describe('what a command writes', () => {
  it('is as the device sheet has it, for every kind', () => {
    const written = INTENTS.map((intent) =>
      writesOf(intent, { now: NOW }).map(
        ({ characteristic, bytes }) => `${characteristic} ${Buffer.from(bytes).toString('hex')}`,
      ),
    );
    expect(written).toEqual([
      ['def1 02000a00'],
      ['def1 02012c01'],
      ['def7 000000000000050000', 'deff 00'],
      ['deff 01'],
      ['deff 02'],
      ['def7 000000000000010000'],
      ['def7 000000000000050000'],
      ['defa 00'],
      ['deff 00'],
      ['def5 01002a061e01140001000000'],
      // Local standard time, then the rule that this has switched off.
      ['def9 1a07010e1e0003780000000000000000', '6793 7800010305000a05003c00'],
      ['6793 7800010305000a05003c00'],
      ['de21 01030000000000000000000000000000'],
    ]);
    expect(new Set(INTENTS.map(({ kind }) => kind))).toEqual(new Set(INTENT_KINDS));
    expect(INTENTS.every((intent) => readsOf(intent).length > 0)).toBe(true);
  });
});

describe('evidence', () => {
  it('of a setting is that it reads back the same', () => {
    for (const intent of INTENTS.filter(({ kind }) => kind.startsWith('set_'))) {
      const back = writesOf(intent, { now: NOW }).map(({ characteristic, bytes }) => {
        if (characteristic !== 'def5' && characteristic !== 'def9' && characteristic !== '6793')
          throw new Error('what?');
        return seen(characteristic, bytes);
      });
      expect(isDone(intent, back, NOW + 60_000)).toBe(true);
      const [first, ...rest] = back;
      const other = first === undefined ? [] : [seen(first.characteristic, first.bytes.with(0, 7)), ...rest];
      expect(isDone(intent, other, NOW)).toBe(false);
    }
    expect(isDone({ kind: 'set_clock', time_zone: zone }, [], NOW)).toBe(false);
  });

  it.each<[string, Intent, readonly Seen[], boolean]>([
    ['a run with this target', water, [task(2, { target: 600 })], true],
    ['a run of another length', water, [task(2, { target: 660 })], false],
    ['the valve opening', water, [seen('def1', Uint8Array.of(2, 1, 0, 0))], true],
    ['what was written itself', water, [seen('def1', Uint8Array.of(2, 0, 10, 0))], false],
    ['silence after a stop', { kind: 'stop' }, [task(NOTHING), pending(0)], true],
    ['a queue that goes on after a stop', { kind: 'stop' }, [task(NOTHING), pending(1)], false],
    ['a run that was seen and ended', { kind: 'skip_next', channel: 2, at: NOW }, [task(2), task(NOTHING)], true],
    ['a run that was never seen', { kind: 'skip_next', channel: 2, at: NOW }, [task(NOTHING)], false],
    ['a paused run', { kind: 'pause' }, [task(2, { target: 600, status: 2 })], true],
    ['no alarm', { kind: 'clear_alarm' }, [alarmSeen(0)], true],
    ['a reset of another channel', { kind: 'reset_channel', channel: 3, what: 'channel' }, [resetSeen(1, 3, 2)], false],
  ])('is %s, or not', (_, intent, readings, isEvidence) => {
    expect(isDone(intent, readings, NOW)).toBe(isEvidence);
  });
});

describe('before writing', () => {
  it('a run waits for an idle device, a skip for its run, and nothing is set that is set', () => {
    expect(readiness(water, [task(1), pending(0)], NOW)).toBe('wait');
    expect(readiness(water, [task(NOTHING), pending(0)], NOW)).toBe('write');
    expect(readiness(water, [], NOW)).toBe('wait');
    expect(readiness({ kind: 'skip_next', channel: 2, at: NOW }, [task(NOTHING)], NOW)).toBe('wait');
    expect(readiness({ kind: 'stop' }, [task(NOTHING), pending(0)], NOW)).toBe('done');
  });

  it('again, only a run can do harm', () => {
    for (const intent of INTENTS.filter(({ kind }) => kind !== 'water')) {
      expect(look(intent, [], NOW, NOW)).toBe('not_done');
    }
    expect(look(water, [task(NOTHING), pending(0)], NOW, NOW)).toBe('unclear');
  });
});

describe('a refusal', () => {
  it.each<[string, readonly Seen[]]>([
    ['freeze', [seen('def3', Uint8Array.of(6))]],
    ['queue_full', [pending(10)]],
    ['not_permitted', []],
  ])('is told apart by what else is seen: %s', (reason, readings) => {
    expect(refusalOf(water, 0x03, readings)).toBe(reason);
  });

  it('of a stop means that nothing runs', () => {
    expect(refusalOf({ kind: 'stop' }, 0x03, [task(NOTHING)])).toBe('nothing_to_do');
    expect(refusalOf({ kind: 'set_clock', time_zone: zone }, 0x0e, [])).toBe('no_clock');
  });

  it('without an error shows in the locks', () => {
    const locked = seen('de22', deviceBytes(HydraulicStatus, { channel_id: 2, lock_level: 2 }));
    expect(dropReasonOf(water, [locked])).toBe('channel_locked');
    expect(dropReasonOf(water, [])).toBe('unknown');
  });
});
