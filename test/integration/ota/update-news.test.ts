import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../support/backend.ts';
import { fleetOf } from '../../support/fleet.ts';
import { type Jobs, startJobs } from '../../support/jobs.ts';
import { type releasesOf, startWithReleases } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

const DAY_MS = 24 * 60 * 60_000;

let backend: Backend;
let releases: ReturnType<typeof releasesOf>;
let jobs: Jobs;
beforeEach(async () => {
  ({ backend, releases } = await startWithReleases());
  jobs = await startJobs(backend);
});
afterEach(() => Promise.all([backend.stop(), jobs.stop()]));

/** A device whose owner's phone has said what it runs. */
async function running(version: string) {
  const user = newUser();
  const device = await fleetOf(backend).device();
  await backend.call('/claimDevice', { headers: user.headers, body: { serial: device.serial } });
  const ask = async () =>
    (await releases.latest('stable', `&serial=${device.serial}&current_version=${version}`, user.headers))
      .update_available;
  await ask();
  const told = async (): Promise<readonly string[]> => {
    const { body } = await backend.call('/notifications', { headers: user.headers });
    return body.notifications
      .filter(({ topic }: { topic: string }) => topic === 'available')
      .map(({ facts, serial }: { facts: { version: string }; serial: string }) => `${serial} ${facts.version}`);
  };
  return { ...device, user, ask, told };
}

const look = () => jobs.run({ job: 'update-news' });

describe('an owner is told of an update', () => {
  it('that the device is offered, once a version, in the digest and in the owner’s language', async () => {
    await releases.publish('1.0.0', 'stable');
    const old = await running('1.0.0');
    const { body } = await backend.call('/notifications/settings', { headers: old.user.headers });
    const browser = backend.messages.subscribe('browser', body.channels.web_push.public_key);
    await backend.call('/notifications/subscriptions', {
      headers: old.user.headers,
      body: { type: 'web_push', ...browser },
    });
    await backend.call('/notifications/settings', { headers: old.user.headers, body: { language: 'ro' } });
    await look();
    expect(await old.told()).toEqual([]);

    await releases.publish('1.1.0', 'stable');
    await releases.publish('1.2.0', 'stable', { rollout_pct: 0 });
    const current = await running('1.1.0');
    for (const days of [1, 1, 9]) {
      backend.clock.forward(days * DAY_MS);
      await look();
      await jobs.run({ job: 'deliver-notifications' });
    }
    expect([await old.told(), await current.told()]).toEqual([[`${old.serial} 1.1.0`], []]);
    const titles = backend.messages.sent().map(({ to, title }) => `${to}: ${title}`);
    expect(titles).toEqual(['browser: Versiunea 1.1.0 este gata pentru dispozitiv']);

    await releases.step('1.2.0', 'rollout', 'stable', { rollout_pct: 100 });
    backend.clock.forward(DAY_MS);
    await look();
    expect(await old.told()).toEqual([`${old.serial} 1.2.0`, `${old.serial} 1.1.0`]);
    expect(await current.told()).toEqual([`${current.serial} 1.2.0`]);
  });

  it.each([
    ['is not for its place in the rollout', { rollout_pct: 0 }, undefined],
    ['needs a version in between', { min_version: '1.0.5' }, undefined],
    ['is paused', {}, 'pause'],
    ['is withdrawn', {}, 'withdraw'],
  ] as const)('but not of one that %s: as /ota/latest says', async (_what, fields, step) => {
    await releases.publish('1.0.0', 'stable');
    const device = await running('1.0.0');
    await releases.publish('1.1.0', 'stable', fields);
    if (step !== undefined) await releases.step('1.1.0', step, 'stable');
    await look();
    expect([await device.ask(), await device.told()]).toEqual([false, []]);
  });

  it('nor while it keeps failing on that device, is revoked, or nobody’s', async () => {
    await releases.publish('1.0.0', 'stable');
    const [failing, revoked, given, well] = [
      await running('1.0.0'),
      await running('1.0.0'),
      await running('1.0.0'),
      await running('1.0.0'),
    ];
    await releases.publish('1.1.0', 'stable', { halt_policy: { min_reports: 1000, max_failure_pct: 100 } });
    for (const attempt of ['a', 'b', 'c']) {
      await backend.call('/ota/reports', {
        headers: failing.user.headers,
        body: {
          serial: failing.serial,
          attempt_id: attempt,
          version: '1.1.0',
          status: 'failed',
          error_code: 'self-test_failed',
        },
      });
    }
    expect(await failing.ask()).toBe(false);
    await fleetOf(backend).step('revoke', revoked.hw_id, 'broken');
    await backend.call('/unclaimDevice', { headers: given.user.headers, body: { serial: given.serial } });
    await look();
    for (const { told } of [failing, revoked, given]) expect(await told()).toEqual([]);
    expect(await well.told()).toEqual([`${well.serial} 1.1.0`]);
  });

  it('by a pass that goes on where a run died, and that costs nothing once it is over', async () => {
    for (const version of ['1.0.0', '1.1.0']) await releases.publish(version, 'stable');
    const devices = [await running('0.9.0'), await running('1.0.0'), await running('1.1.0')];
    await releases.publish('1.2.0', 'stable');
    jobs.dynamo.dieAfter('TransactWriteItems');
    await expect(look()).rejects.toThrow('Jobs failed: update-news');
    jobs.dynamo.revive();
    backend.clock.forward(10 * 60_000);
    await look();
    for (const { serial, told } of devices) expect(await told()).toEqual([`${serial} 1.2.0`]);
    const before = jobs.dynamo.operations.length;
    await look();
    // The turn is taken and given back, and the progress read.
    expect(jobs.dynamo.operations.length - before).toBe(3);
  });
});
