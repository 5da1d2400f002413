import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasTooManyAlarms } from '../../../src/ota/rollout/alarm-rate.ts';
import type { Backend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { alarmBytes, base64, DAY } from '../../support/garden-rows.ts';
import { type Jobs, startJobs } from '../../support/jobs.ts';
import { type releasesOf, startWithReleases } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let releases: ReturnType<typeof releasesOf>;
let jobs: Jobs;
beforeEach(async () => {
  ({ backend, releases } = await startWithReleases());
  jobs = await startJobs(backend);
});
afterEach(() => Promise.all([backend.stop(), jobs.stop()]));

const NO_FLOW = 1;

/** A new device that reported to run a version, and the calls of its owner's phone. */
async function running(version: string) {
  const { headers } = newUser();
  const { serial } = await fleetOf(backend).device();
  await backend.call('/claimDevice', { headers, body: { serial } });
  const report = (status: string, fields: object = {}) =>
    backend.call('/ota/reports', { headers, body: { serial, attempt_id: 'try-1', version, status, ...fields } });
  expect((await report('confirmed')).body.recorded).toBe(1);
  const upload = async (hasAlarm: boolean) => {
    const now = backend.clock.now();
    const alarm = alarmBytes(hasAlarm ? NO_FLOW : 0, hasAlarm ? 1 : 0, now);
    const readings = [{ kind: 'alarm', read_at: now, bytes: base64(alarm) }];
    const { status } = await backend.call('/telemetry', { headers, body: { serial, sent_at: now, readings } });
    expect(status).toBe(200);
  };
  return { report, upload };
}

const release = async () => (await releases.get('/ota/releases/1.1.0')).body;

describe('a release whose devices have alarms', () => {
  const publish = async (alarmPolicy: object | null) => {
    await releases.publish('1.0.0', 'stable');
    await releases.publish('1.1.0', 'stable', { alarm_policy: alarmPolicy });
    const versions = ['1.0.0', '1.0.0', '1.0.0', '1.0.0', '1.1.0', '1.1.0', '1.1.0', '1.1.0'];
    const devices = await Promise.all(versions.map(running));
    await Promise.all(devices.map(({ upload }, index) => upload(index > 4)));
    return devices;
  };
  const dayIsOver = async () => {
    backend.clock.forward(DAY);
    await jobs.run({ job: 'telemetry-look' });
  };

  it('halts itself once they have them much more often than under other versions, and says so', async () => {
    const [device] = await publish({ min_device_days: 4, max_ratio: 5 });
    const offered = (attempt: string) => device?.report('offered', { version: '1.1.0', attempt_id: attempt });
    expect((await offered('early'))?.body.recorded).toBe(1);
    expect((await release()).release.state).toBe('published');
    await dayIsOver();
    await offered('next-day');
    const { release: halted, audit_trail: trail } = await release();
    expect(halted).toMatchObject({ state: 'halted', alarm_policy: { min_device_days: 4, max_ratio: 5 } });
    expect(trail.find(({ action }: { action: string }) => action === 'halt')).toMatchObject({
      ...{ actor: 'system' },
      reason: 'alarms on 3 of 4 device days, under other versions on 0 of 4',
    });
    // What led to the halt does not halt it again.
    await releases.step('1.1.0', 'resume', 'stable');
    await offered('resumed');
    expect((await release()).release.state).toBe('published');
  });

  it('goes on where no policy says otherwise', async () => {
    const [device] = await publish(null);
    await dayIsOver();
    await device?.report('offered', { version: '1.1.0', attempt_id: 'next-day' });
    expect((await release()).release).toMatchObject({ state: 'published', alarm_policy: null });
  });
});

describe('an alarm policy', () => {
  const policy = { minDeviceDays: 100, maxRatio: 2 };
  const days = (deviceDays: number, withAlarms: number) => ({ deviceDays, withAlarms });

  it('needs enough days on both sides, more than two alarms, and the ratio', () => {
    expect(hasTooManyAlarms(policy, { own: days(100, 6), others: days(1_000, 30) })).toBe(true);
    expect(hasTooManyAlarms(policy, { own: days(100, 5), others: days(1_000, 30) })).toBe(false);
    expect(hasTooManyAlarms(policy, { own: days(99, 60), others: days(1_000, 30) })).toBe(false);
    expect(hasTooManyAlarms(policy, { own: days(100, 60), others: days(99, 0) })).toBe(false);
    expect(hasTooManyAlarms(policy, { own: days(100, 2), others: days(1_000, 0) })).toBe(false);
    expect(hasTooManyAlarms(policy, { own: days(1_000, 3), others: days(1_000, 0) })).toBe(false);
  });
});
