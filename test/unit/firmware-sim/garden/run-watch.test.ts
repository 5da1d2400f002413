import { CurrentTask, HistoryRealtimeNotify } from '@autowatering/device-data';
import { RunWatch } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { deviceBytes } from '../../../support/device-bytes.ts';

const BOOT = Date.UTC(2026, 5, 1);
const IDLE = 0xff;

/** What the device reports of a run of five minutes on channel 2. */
const task = (elapsedS: number, ml: number, channel = 2) =>
  deviceBytes(CurrentTask, {
    ...{ channel_id: channel, start_uptime_s: channel === IDLE ? 0 : 100, target: 300, current: elapsedS },
    ...{ total_volume_ml: ml, status: channel === IDLE ? 0 : 1 },
  });
const at = (elapsedS: number) => BOOT + (100 + elapsedS) * 1000;
const stopped = deviceBytes(HistoryRealtimeNotify, {
  ...{ channel_id: 2, count: 1, channel: 2, event: 1, trigger: 1, success: 1, flow_avg: 750 },
});

/** Watches reports of [elapsed seconds, millilitres]; then the device is idle at that second, unless it goes on. */
function watched(reports: readonly (readonly [number, number])[], idleAfterS?: number, isStopped = false) {
  const watch = new RunWatch();
  for (const [elapsedS, ml] of reports) watch.task(task(elapsedS, ml), at(elapsedS));
  if (isStopped) watch.notice(stopped);
  if (idleAfterS === undefined) watch.lost();
  else watch.task(task(0, 0, IDLE), at(idleAfterS));
  return watch.take();
}

describe('watching a run', () => {
  it.each([
    [
      'completed, when it reaches its target',
      watched(
        [
          [1, 0],
          [150, 1_500],
          [299, 2_990],
        ],
        300,
      ),
      'completed',
      2_990,
    ],
    [
      'stopped, when the device says so',
      watched(
        [
          [1, 0],
          [60, 600],
        ],
        61,
        true,
      ),
      'stopped',
      600,
    ],
    [
      'interrupted, when it ends before without a word',
      watched(
        [
          [1, 0],
          [60, 600],
        ],
        61,
      ),
      'interrupted',
      600,
    ],
    [
      'lost sight of, when the connection ends',
      watched([
        [1, 0],
        [60, 600],
      ]),
      'lost_sight',
      600,
    ],
    [
      'measured over a retry that counts from zero again',
      watched(
        [
          [1, 0],
          [20, 50],
          [30, 0],
          [299, 2_700],
        ],
        300,
      ),
      'completed',
      2_750,
    ],
  ])('says that it was %s', (_, sessions, ended, millilitres) => {
    expect(sessions).toMatchObject([{ channel: 2, sawStart: true, startedAt: at(0), ended, millilitres }]);
  });

  it('counts only what flowed while it was watched, if the run was under way', () => {
    const [session] = watched([
      [100, 1_000],
      [160, 1_600],
    ]);
    expect(session).toMatchObject({ sawStart: false, startedAt: at(100), endedAt: at(160), millilitres: 600 });
  });
});
