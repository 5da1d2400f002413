import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { alarmBytes, base64, DAY, diagnosticsBytes, HOUR, hydraulicBytes } from '../../support/garden-rows.ts';
import { newGarden } from '../../support/gardens.ts';
import { type Jobs, startJobs } from '../../support/jobs.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let jobs: Jobs;
beforeAll(async () => {
  backend = await startBackend();
  jobs = await startJobs(backend);
});
afterAll(() => Promise.all([backend.stop(), jobs.stop()]));

type Garden = Awaited<ReturnType<typeof newGarden>>;
const messages = async ({ headers }: Pick<Garden, 'headers'>): Promise<readonly { kind: string; topic: string }[]> =>
  (await backend.call('/notifications', { headers })).body.notifications.map(
    ({ kind, topic }: { kind: string; topic: string }) => ({ kind, topic }),
  );
const insights = ({ serial, headers }: Pick<Garden, 'serial' | 'headers'>, query = '') =>
  backend.call(`/telemetry/devices/${serial}/insights${query}`, { headers });
const reading = (kind: string, at: number, bytes: Uint8Array) => ({ kind, read_at: at, bytes: base64(bytes) });
const atNoon = () => backend.clock.forward(DAY + 12 * HOUR - (backend.clock.now() % DAY));

describe('an upload with an alarm', () => {
  it('is told to the owner once, whoever relays it, and shown with what it rests on', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const alarm = alarmBytes(6, 9, now - HOUR);
    await garden.upload({ readings: [reading('alarm', now - HOUR, alarm)] });
    await garden.upload({ phone_session: 'other', readings: [reading('alarm', now, alarm)] });
    expect(await messages(garden)).toEqual([{ kind: 'alarm', topic: 'mainline-leak' }]);
    expect((await insights(garden)).body.insights).toMatchObject([
      { kind: 'leak', severity: 'critical', until_at: null, rests_on: ['alarm'], is_estimate: false },
    ]);
    expect((await insights({ ...garden, headers: newUser().headers })).body).toMatchObject({
      error: { code: 'device_not_found' },
    });
  });
});

describe('a lock that nobody was there to hear of', () => {
  it('is told at the next look, with the time at which the device tries again', async () => {
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const retry = now + 5 * HOUR;
    await garden.upload({ readings: [reading('hydraulic', now - 3 * HOUR, hydraulicBytes(4))] });
    await garden.upload({ readings: [reading('hydraulic', now - HOUR, hydraulicBytes(4, 1, retry))] });
    await garden.upload({ readings: [reading('hydraulic', now, hydraulicBytes(4, 1, retry))] });
    expect(await messages(garden)).toEqual([{ kind: 'lock', topic: 'channel-soft' }]);
    expect((await insights(garden)).body.insights).toMatchObject([
      { kind: 'lock', channel: 4, facts: { level: 'soft', retry_at: Math.floor(retry / 1000) * 1000 } },
      { kind: 'high_use', channel: 4, rests_on: ['hydraulic_status'] },
    ]);
  });
});

describe('the daily look', () => {
  it('counts the fleet’s health by version, each device and day once, and finds who fell silent', async () => {
    atNoon();
    const garden = await newGarden(backend);
    const now = backend.clock.now();
    const readings = [
      reading('diagnostics', now, diagnosticsBytes(3 * 24 * 60)),
      ...[reading('alarm', now - HOUR, alarmBytes(1, 1, now - HOUR)), reading('alarm', now, alarmBytes(3, 15, now))],
    ];
    await garden.upload({ readings });
    expect(await messages(garden)).toHaveLength(2);

    backend.clock.forward(DAY);
    await Promise.all([jobs.run({ job: 'telemetry-look' }), jobs.run({ job: 'telemetry-look' })]);
    await jobs.run({ job: 'telemetry-look' });
    const { by_version: versions } = (await fleetOf(backend).get('/fleet/health')).body;
    expect(versions).toMatchObject([
      {
        version: 'unknown',
        device_days: 1,
        device_days_with_alarms: 1,
        alarms: 1,
        device_days_locked: 0,
        alarm_pct: 100,
      },
    ]);

    backend.clock.forward(10 * DAY);
    await jobs.run({ job: 'telemetry-look' });
    await jobs.run({ job: 'telemetry-look' });
    expect(await messages(garden)).toContainEqual({ kind: 'unheard', topic: 'silent' });
    expect((await messages(garden)).filter(({ kind }) => kind === 'unheard')).toHaveLength(1);
  });
});
