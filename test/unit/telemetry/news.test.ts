import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isHwId, isSerial, isUid } from '../../../src/platform/ids.ts';
import type { Reading } from '../../../src/telemetry/evidence.ts';
import { newDeviceState } from '../../../src/telemetry/store/device-state.ts';
import { newsIn } from '../../../src/telemetry/telling/news.ts';
import { HOUR, MINUTE, MORNING } from '../../support/garden-evidence.ts';
import { alarmAt, hydraulicsAt, statusAt } from '../../support/observed-garden.ts';

function device() {
  const [uid, hwId, serial] = ['owner-1', 'F1EE700000001', '000123'];
  if (!isUid(uid) || !isHwId(hwId) || !isSerial(serial)) throw new Error('not ids');
  return { uid, hwId, serial };
}
const { uid, hwId, serial } = device();
const NOW = MORNING + HOUR;

/** What an upload of these samples tells, of a device of which those were the last ones. */
function news(readings: readonly Reading[], latest: readonly Reading[] = []) {
  const before = { ...newDeviceState(hwId, serial), latest: latest.map((one) => ({ ...one, phoneSession: 0 })) };
  const after = { ...before, heardAt: NOW };
  return newsIn({ uid, device: { hwId, serial }, before, after, readings, rows: [], now: NOW });
}
const told = (...args: Parameters<typeof news>) => news(...args).map(({ kind, topic }) => `${kind}.${topic}`);

describe('what an upload tells at once', () => {
  it('is each alarm by its code, and nothing of one that is over', () => {
    expect(told([1, 2, 3, 4, 5, 6, 7, 8, 9].map((code) => alarmAt(NOW - code * 2 * HOUR, code, 5)))).toEqual(
      expect.arrayContaining([
        ...['no_flow.other', 'leak.valves-shut', 'alarm.freeze', 'alarm.high-flow', 'alarm.low-flow'],
        ...['alarm.mainline-leak', 'lock.channel-hard', 'lock.other', 'alarm.other'],
      ]),
    );
    expect(told([0, 1, 2, 3].map((code) => alarmAt(NOW, code, 0)))).toEqual([]);
  });

  it('is not what the slot was known to hold, nor a status and locks that were known', () => {
    const samples = [alarmAt(MORNING, 6, 9, NOW), statusAt(NOW, 2), hydraulicsAt(NOW, 3, { level: 2, reason: 1 })];
    const known = samples.map((one) => ({ ...one, readAt: MORNING }));
    expect(told(samples, known)).toEqual([]);
    expect(told(samples)).toHaveLength(2);
  });

  it('is one message for a lock that an alarm and the status tell of', () => {
    const lock = { level: 2, reason: 1, since: MORNING };
    const notices = news([alarmAt(MORNING, 7, 3, NOW), hydraulicsAt(NOW, 3, lock)]);
    expect(new Set(notices.map(({ kind, cause }) => `${kind} ${cause}`))).toEqual(new Set(['lock 000123#lock#3']));
    expect(notices[0]).toMatchObject({ topic: 'channel-hard', at: MORNING, severity: 'danger' });
  });

  it.each([1, 2])('is one message for what a live alarm and the status of a later sync tell: %i', (code) => {
    const live = news([alarmAt(MORNING, code, 25)]);
    const sync = news([statusAt(NOW, code)], [statusAt(MORNING - HOUR, 0), alarmAt(MORNING, code, 25)]);
    const causes = [...live, ...sync].map(({ kind, cause }) => `${kind} ${cause}`);
    expect(causes).toHaveLength(2);
    expect(new Set(causes).size).toBe(1);
  });

  it('is a lock that became hard, and a counter that rose between two visits', () => {
    const soft = { level: 1, reason: 2, since: MORNING, retry: NOW + HOUR, noFlowRuns: 2 };
    const hard = { level: 2, reason: 2, since: NOW, noFlowRuns: 3 };
    expect(told([hydraulicsAt(NOW, 1, hard)], [hydraulicsAt(MORNING, 1, soft)])).toEqual([
      'lock.channel-hard',
      'no_flow.channel',
    ]);
    expect(told([hydraulicsAt(MORNING, 1, soft)], [hydraulicsAt(MORNING - HOUR, 1)])).toContain('lock.channel-soft');
  });

  it('does not depend on how an upload is ordered', () => {
    const samples = [
      ...[alarmAt(NOW, 2, 12), alarmAt(NOW + MINUTE, 8, 0), statusAt(NOW, 2), statusAt(NOW + MINUTE, 7)],
      hydraulicsAt(NOW + MINUTE, 0, { globalLevel: 1, globalReason: 3, since: NOW }),
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(samples, { minLength: samples.length }), (shuffled) => {
        expect(news(shuffled)).toEqual(news(samples));
      }),
    );
  });
});
