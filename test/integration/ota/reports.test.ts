import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Backend } from '../../support/backend.ts';
import { fleetOf, type MadeDevice } from '../../support/fleet.ts';
import { type releasesOf, startWithReleases } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
let releases: ReturnType<typeof releasesOf>;
// Each test has its own backend: some move the clock, and object storage rejects a skewed clock.
beforeEach(async () => {
  ({ backend, releases } = await startWithReleases());
});
afterEach(() => backend.stop());

interface Owned extends MadeDevice {
  readonly headers: Readonly<Record<string, string>>;
}

async function owned(headers = newUser().headers): Promise<Owned> {
  const device = await fleetOf(backend).device();
  await backend.call('/claimDevice', { headers, body: { serial: device.serial } });
  return { ...device, headers };
}

const report = (device: Owned, status: string, fields: object = {}) =>
  backend.call('/ota/reports', {
    headers: device.headers,
    body: { serial: device.serial, attempt_id: 'try-1', version: '1.1.0', status, ...fields },
  });
const stats = async (channel: string) => (await releases.get(`/ota/releases/1.1.0/stats?channel=${channel}`)).body;

describe('POST /ota/reports', () => {
  it('records each status of an attempt once, however often it is sent', async () => {
    await releases.publish('1.1.0', 'once');
    const device = await owned();
    const all = ['offered', 'on_phone', 'uploading', 'testing', 'confirmed'];
    for (const status of all) {
      const first = await report(device, status, { channel: 'once', from_version: '1.0.0' });
      expect(first.body).toMatchObject({ ok: true, recorded: 1, repeated: 0 });
    }
    const again = await Promise.all(all.map((status) => report(device, status, { channel: 'once' })));
    expect(again.map(({ body }) => body.repeated)).toEqual([1, 1, 1, 1, 1]);
    expect(await stats('once')).toMatchObject({
      ...{ reached: 1, offered: 1, on_phone: 1, uploading: 1, testing: 1, confirmed: 1 },
      ...{ reverted: 0, failed: 0, finished: 1, failures: 0, failure_pct: 0, verified: 0 },
    });
    const list = await fleetOf(backend).get('/fleet/devices?firmware_version=1.1.0');
    expect(list.body.devices.map(({ serial }: { serial: string }) => serial)).toContain(device.serial);
  });

  it("does not let a repeated old batch change the device's current version", async () => {
    await releases.publish('1.1.0', 'old');
    await releases.publish('1.2.0', 'old');
    const device = await owned();
    const runs = async () =>
      (await fleetOf(backend).get(`/fleet/devices?hw_id=${device.hw_id}`)).body.devices[0].firmware_version;
    await report(device, 'confirmed', { channel: 'old' });
    await report(device, 'confirmed', { channel: 'old', version: '1.2.0' });
    expect((await report(device, 'confirmed', { channel: 'old' })).body.repeated).toBe(1);
    expect(await runs()).toBe('1.2.0');
  });

  it('records parallel reports of one device completely, and each one once', async () => {
    await releases.publish('1.1.0', 'at-once');
    const device = await owned();
    const all = ['offered', 'on_phone', 'uploading', 'testing', 'confirmed'];
    const answers = await Promise.all(
      [...all, ...all].flatMap((status) =>
        ['try-1', 'try-2'].map((attempt) => report(device, status, { channel: 'at-once', attempt_id: attempt })),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const recorded = answers.reduce((sum, { body }) => sum + body.recorded, 0);
    expect(recorded).toBe(10);
    expect(await stats('at-once')).toMatchObject({ reached: 1, uploading: 1, confirmed: 1, finished: 1 });
  });

  it('accepts a batch collected offline, with a result for each report', async () => {
    await releases.publish('1.1.0', 'batch');
    const headers = newUser().headers;
    const [one, two, strangers] = [await owned(headers), await owned(headers), await owned()];
    const entry = (device: MadeDevice, status: string, version = '1.1.0') => ({
      ...{ channel: 'batch', hw_id: device.hw_id, attempt_id: 'offline', version, status },
    });
    const batch = {
      reports: [
        entry(one, 'uploading'),
        entry(one, 'confirmed'),
        entry(two, 'reverted'),
        entry(strangers, 'confirmed'),
        entry(one, 'confirmed', '9.9.9'),
        entry(one, 'confirmed'),
      ],
    };
    const answer = await backend.call('/ota/reports', { headers, body: batch });
    expect(answer.body.results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
      ...['recorded', 'recorded', 'recorded', 'not_owned', 'release_not_found', 'repeated'],
    ]);
    const again = await backend.call('/ota/reports', { headers, body: batch });
    expect(again.body).toMatchObject({ recorded: 0, repeated: 4 });
    expect(await stats('batch')).toMatchObject({ reached: 2, confirmed: 1, reverted: 1, failures: 1, failure_pct: 50 });
  });

  it.each([
    { status: 'exploded' },
    { attempt_id: 'a b' },
    { version: 1 },
    { offset: -1 },
    { phone: { model: 'x'.repeat(65) } },
    { phone: { model: 'a#b' } },
    { serial: undefined },
    { error_code: 'Drop Table!' },
    { extra: 1 },
  ])('rejects %j', async (fields) => {
    const device = { serial: '000001', hw_id: 'X', claim_code: '', headers: newUser().headers };
    expect((await report(device, 'failed', fields)).body.error.code).toBe('validation_failed');
  });

  it("is only for the device's owner, and only for releases that were published", async () => {
    await releases.draft('1.1.0', 'drafted');
    const device = await owned();
    expect((await report({ ...device, ...newUser() }, 'confirmed')).body.error.code).toBe('not_owned');
    expect((await report({ ...device, serial: '999998' }, 'confirmed')).body.error.code).toBe('not_owned');
    expect((await report(device, 'confirmed', { channel: 'drafted' })).body.error.code).toBe('release_not_found');
  });

  it('blocks a device for a day after three failures of the same release, unless the block is lifted', async () => {
    await releases.publish('1.1.0', 'nag', { halt_policy: { min_reports: 100, max_failure_pct: 100 } });
    const device = await owned();
    const ask = () => releases.latest('nag', `&serial=${device.serial}&current_version=1.0.0`, device.headers);
    const fail = (attempt: number, fields: object = {}) =>
      report(device, 'failed', {
        channel: 'nag',
        attempt_id: `try-${attempt}`,
        error_code: 'self-test_failed',
        ...fields,
      });
    // A lost radio link is not a firmware failure.
    for (const attempt of [11, 12, 13, 14]) await fail(attempt, { error_code: 'link_lost' });
    expect((await ask()).reason).toBe('offered');
    await fail(1);
    await report(device, 'reverted', { channel: 'nag', attempt_id: 'try-1' });
    await fail(2);
    expect((await ask()).reason).toBe('offered');
    await fail(3);
    const blocked = await ask();
    expect(blocked).toMatchObject({ update_available: false, latest: null, reason: 'failed_too_often' });
    const lift = () => releases.step('1.1.0', 'lift', 'nag', { serial: device.serial });
    expect((await lift()).body).toMatchObject({ lifted: true, was_until: blocked.blocked_until });
    expect((await lift()).body).toMatchObject({ lifted: false, was_until: null });
    expect((await ask()).reason).toBe('offered');
    for (const attempt of [4, 5, 6]) await fail(attempt);
    expect((await ask()).reason).toBe('failed_too_often');
    backend.clock.forward(24 * 3_600_000 + 1);
    expect((await ask()).reason).toBe('offered');
  });
});

describe('a failing release', () => {
  /** Reports from many devices, each with its own user, in parallel. */
  async function reportAll(channel: string, outcomes: readonly string[], model?: (index: number) => string) {
    const devices = await Promise.all(outcomes.map(() => owned()));
    return Promise.all(
      devices.map((device, index) =>
        report(device, outcomes[index] ?? '', {
          channel,
          ...(outcomes[index] === 'failed' ? { error_code: 'hash_mismatch' } : {}),
          ...(model === undefined ? {} : { phone: { model: model(index) } }),
        }),
      ),
    );
  }
  const outcomes = (confirmed: number, reverted: number) => [
    ...Array.from({ length: confirmed }, () => 'confirmed'),
    ...Array.from({ length: reverted }, () => 'reverted'),
  ];

  it('halts under 200 concurrent reports: at once, only once, with audit entry and metric', async () => {
    await releases.publish('1.0.0', 'halts');
    await releases.publish('1.1.0', 'halts', { halt_policy: { min_reports: 100, max_failure_pct: 10 } });
    const devices = await Promise.all(outcomes(90, 10).map(async (ending) => ({ ending, device: await owned() })));
    // Each phone reports the test and its outcome at the same moment.
    const answers = await Promise.all(
      devices.flatMap(({ device, ending }) =>
        ['testing', ending].map((status) => report(device, status, { channel: 'halts' })),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 200 }, () => 200));
    expect(await stats('halts')).toMatchObject({
      ...{ state: 'halted', reached: 100, testing: 100, finished: 100, failures: 10, failure_pct: 10 },
    });
    expect(await releases.latest('halts', '&current_version=1.0.0')).toMatchObject({
      update_available: false,
      latest: { version: '1.0.0' },
      reason: 'paused',
    });
    const { audit_trail: trail } = (await releases.get('/ota/releases/1.1.0?channel=halts')).body;
    expect(trail.filter(({ action }: { action: string }) => action === 'halt')).toMatchObject([
      { actor: 'system', before: 'published', after: 'halted', reason: '10 of 100 devices failed' },
    ]);
    expect(backend.metrics.counted.filter((name) => name === 'ReleaseHalted')).toHaveLength(1);
  }, 90_000);

  it('continues while it is below the threshold or has too few reports', async () => {
    await releases.publish('1.1.0', 'goes-on');
    await reportAll('goes-on', outcomes(18, 1));
    expect((await stats('goes-on')).state).toBe('published');
    await reportAll('goes-on', outcomes(12, 0));
    await reportAll('goes-on', outcomes(0, 2));
    expect((await stats('goes-on')).state).toBe('published');
    await reportAll('goes-on', outcomes(0, 1));
    expect((await stats('goes-on')).state).toBe('halted');
  });

  it('is not blamed for radio failures', async () => {
    await releases.publish('1.1.0', 'radio', { halt_policy: { min_reports: 1, max_failure_pct: 1 } });
    const devices = await Promise.all(Array.from({ length: 5 }, () => owned()));
    await Promise.all(
      devices.map((device) => report(device, 'failed', { channel: 'radio', error_code: 'link_lost', offset: 4_096 })),
    );
    expect(await stats('radio')).toMatchObject({
      ...{ state: 'published', failed: 5, failures: 0, finished: 0 },
      by_error_code: [{ error_code: 'link_lost', confirmed: 0, failures: 0, interrupted: 5 }],
    });
  });

  it('can be resumed and then counts from zero; earlier failures do not halt it again', async () => {
    await releases.publish('1.1.0', 'resumed', { halt_policy: { min_reports: 4, max_failure_pct: 50 } });
    await reportAll('resumed', outcomes(1, 3));
    expect((await stats('resumed')).state).toBe('halted');
    const resumed = await releases.step('1.1.0', 'resume', 'resumed', { reason: 'it was the test rig' });
    expect(resumed.body.release.state).toBe('published');
    await reportAll('resumed', outcomes(2, 1));
    expect((await stats('resumed')).state).toBe('published');
    await reportAll('resumed', outcomes(0, 2));
    expect((await stats('resumed')).state).toBe('halted');
  });

  it('on one phone model only is reported as such', async () => {
    await releases.publish('1.1.0', 'model', { halt_policy: { min_reports: 100, max_failure_pct: 100 } });
    await reportAll('model', outcomes(5, 3), (index) => (index < 5 ? 'Pixel 9' : 'Fairphone 4'));
    expect(await stats('model')).toMatchObject({
      suspect_phone_model: 'Fairphone 4',
      by_phone_model: [
        { phone_model: 'Fairphone 4', failures: 3, confirmed: 0, interrupted: 0 },
        { phone_model: 'Pixel 9', failures: 0, confirmed: 5, interrupted: 0 },
      ],
      by_hour: [{ failures: 3, confirmed: 5 }],
    });
    await reportAll('model', outcomes(0, 1), () => 'Pixel 9');
    expect((await stats('model')).suspect_phone_model).toBeNull();
  });

  it('halts even if the connection broke right after the report was recorded', async () => {
    await releases.publish('1.1.0', 'cut-off', { halt_policy: { min_reports: 1, max_failure_pct: 10 } });
    const device = await owned();
    // Two rate limits are counted, the report is written, then nothing gets through.
    backend.dynamo.dieAfterWrites(3);
    expect((await report(device, 'reverted', { channel: 'cut-off' })).status).toBe(503);
    backend.dynamo.revive();
    expect(await stats('cut-off')).toMatchObject({ state: 'published', failures: 1 });
    const again = await report(device, 'reverted', { channel: 'cut-off' });
    expect(again.body).toMatchObject({ recorded: 0, repeated: 1 });
    expect((await stats('cut-off')).state).toBe('halted');
  });
});

describe('POST /ota/lease', () => {
  const lease = (device: Owned, phone: string, fields: object = {}) =>
    backend.call('/ota/lease', {
      headers: device.headers,
      body: { serial: device.serial, phone_id: phone, ...fields },
    });

  it('gives a device to one phone of a household at a time', async () => {
    const device = await owned();
    const answers = await Promise.all(['phone-a', 'phone-b', 'phone-c'].map((phone) => lease(device, phone)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const refused = answers.find(({ status }) => status === 409);
    const held = answers.find(({ status }) => status === 200);
    expect(refused?.body.error).toMatchObject({ code: 'lease_held', details: { expires_at: held?.body.expires_at } });
  });

  it('can be renewed and released by the phone that holds it, and expires after ten minutes', async () => {
    const device = await owned();
    expect((await lease(device, 'phone-a')).body.held).toBe(true);
    backend.clock.forward(9 * 60_000);
    expect((await lease(device, 'phone-a')).body.held).toBe(true);
    backend.clock.forward(9 * 60_000);
    expect((await lease(device, 'phone-b')).status).toBe(409);
    backend.clock.forward(61_000);
    expect((await lease(device, 'phone-b')).body.held).toBe(true);
    expect((await lease(device, 'phone-a', { release: true })).body.held).toBe(false);
    expect((await lease(device, 'phone-a')).status).toBe(409);
    await lease(device, 'phone-b', { release: true });
    expect((await lease(device, 'phone-a')).body.held).toBe(true);
    expect((await lease({ ...device, ...newUser() }, 'phone-x')).body.error.code).toBe('not_owned');
  });
});
