import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../support/backend.ts';
import { fleetOf, type MadeDevice } from '../../support/fleet.ts';
import { type releasesOf, startWithReleases } from '../../support/releases.ts';
import { newUser } from '../../support/tokens.ts';

const CHANNEL = 'versions';

let backend: Backend;
let releases: ReturnType<typeof releasesOf>;
beforeAll(async () => {
  ({ backend, releases } = await startWithReleases());
  await releases.publish('1.1.0', CHANNEL, { min_bootloader: '2.1.0', min_version: '0.9.0' });
});
afterAll(() => backend.stop());

const ask = async (query: Readonly<Record<string, string>>) =>
  backend.call(`/ota/latest?${new URLSearchParams({ channel: CHANNEL, ...query })}`);

async function ownedDevice() {
  const owner = newUser();
  const device = await fleetOf(backend).device({ status: 'active' });
  const claimed = await backend.call('/claimDevice', { headers: owner.headers, body: { serial: device.serial } });
  expect(claimed.status).toBe(200);
  return { owner, device };
}

async function recorded({ hw_id: hwId }: MadeDevice): Promise<string | null> {
  return (await fleetOf(backend).get(`/fleet/devices?hw_id=${hwId}`)).body.devices[0].firmware_version;
}

describe('the version a device reports in /ota/latest', () => {
  it.each(['1', '1.0', 'v1.0.0', '1.0.0+7', '1.0.0.1'])('%s is older than 1.1.0 and is understood', async (current) => {
    const answer = await ask({ current_version: current, bootloader_version: '2.1' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ update_available: true, latest: { version: '1.1.0' } });
    expect(answer.body).not.toHaveProperty('not_understood');
  });

  it.each(['1.1', 'v1.1.0', '1.1.0.5', '1.1.0+9'])('%s is 1.1.0 and up to date', async (current) => {
    const answer = await ask({ current_version: current, bootloader_version: 'v2.1.0.3' });
    expect(answer.body).toMatchObject({ update_available: false, reason: 'up_to_date' });
  });

  it.each(['dev', '', '?', 'x'.repeat(300), 'line\nbreak'])(
    '%j counts as unknown, and the answer says so',
    async (text) => {
      const unknown = await ask({ bootloader_version: '2.1.0' });
      const answer = await ask({ current_version: text, bootloader_version: '2.1.0' });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ reason: unknown.body.reason, not_understood: ['current_version'] });
    },
  );

  it('is parsed as leniently for the bootloader, and each field that is not understood is named', async () => {
    const answer = await ask({ current_version: 'dev', bootloader_version: 'mcuboot' });
    expect([answer.status, answer.body.not_understood]).toEqual([200, ['current_version', 'bootloader_version']]);
  });

  it('never causes an error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 120 }), async (text) => {
        expect((await ask({ current_version: text, bootloader_version: text })).status).toBe(200);
      }),
      { numRuns: 60 },
    );
  });

  it('is stored in canonical form for an owned device, and not at all when it is not understood', async () => {
    const { owner, device } = await ownedDevice();
    const latest = (version: string) =>
      releases.latest(CHANNEL, `&serial=${device.serial}&current_version=${version}`, owner.headers);
    await latest('1.0');
    await latest('dev');
    expect(await recorded(device)).toBe('1.0.0');
  });
});

describe('the version a device reports elsewhere', () => {
  it('is understood by /reconcileDevices, or listed with its device as not understood', async () => {
    const { owner, device } = await ownedDevice();
    const other = await fleetOf(backend).device();
    const answer = await backend.call('/reconcileDevices', {
      headers: owner.headers,
      body: {
        devices: [
          { serial: device.serial, firmware_version: 'v1.0.0.3' },
          { serial: other.serial, firmware_version: 'dev\n' },
        ],
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.body.devices[0]).not.toHaveProperty('not_understood');
    expect(answer.body.devices[1].not_understood).toEqual(['firmware_version']);
    expect(await recorded(device)).toBe('1.0.0');
  });

  it('is understood in reports, and an unknown one affects only its own report', async () => {
    const { owner, device } = await ownedDevice();
    const report = (attempt: string, fields: object) => ({
      ...{ serial: device.serial, channel: CHANNEL, attempt_id: attempt, status: 'confirmed', ...fields },
    });
    const reports = [
      report('lenient', { version: 'v1.1', from_version: '1.0' }),
      report('unknown-before', { version: '1.1.0', from_version: 'dev' }),
      report('unknown-now', { version: 'dev' }),
    ];
    const answer = await backend.call('/ota/reports', { headers: owner.headers, body: { reports } });
    expect(answer.status).toBe(200);
    expect(answer.body.results).toMatchObject([
      { version: '1.1.0', outcome: 'recorded' },
      { version: '1.1.0', outcome: 'recorded', not_understood: ['from_version'] },
      { version: 'dev', outcome: 'release_not_found', not_understood: ['version'] },
    ]);
    expect(await recorded(device)).toBe('1.1.0');
    const alone = await backend.call('/ota/reports', { headers: owner.headers, body: reports[2] });
    expect([alone.status, alone.body.error.code]).toEqual([404, 'release_not_found']);
  });

  it('is stored in canonical form when it comes from the factory', async () => {
    expect(await recorded(await fleetOf(backend).device({ metadata: { firmware_version: '1.0' } }))).toBe('1.0.0');
    expect(await recorded(await fleetOf(backend).device({ metadata: { firmware_version: 'dev' } }))).toBeNull();
  });
});
