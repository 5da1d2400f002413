import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../support/backend.ts';
import { firmware, GOOD, withVersion } from '../support/firmware.ts';
import { fleetOf } from '../support/fleet.ts';
import { startWithReleases } from '../support/releases.ts';
import { runTool } from '../support/run-tool.ts';
import { newUser } from '../support/tokens.ts';

let backend: Backend;
let releases: Awaited<ReturnType<typeof startWithReleases>>['releases'];
let folder: string;
beforeAll(async () => {
  ({ backend, releases } = await startWithReleases());
  folder = await mkdtemp(path.join(tmpdir(), 'ota-deploy-'));
});
afterAll(async () => {
  await Promise.all([backend.stop(), rm(folder, { recursive: true })]);
});

const images = new Map<string, Promise<string>>();

/** Each version is signed once. Signing it again would give other bytes. */
function image(version: string): Promise<string> {
  const file = path.join(folder, `${version}.signed.bin`);
  const written =
    images.get(version) ?? writeFile(file, withVersion(firmware(GOOD['1.1.0']), version)).then(() => file);
  images.set(version, written);
  return written;
}
const deploy = async (version: string, ...args: string[]) =>
  runTool('ota:deploy', [
    ...['--artifact-path', await image(version), '--api-base-url', backend.url],
    ...['--token', backend.secrets.adminToken, '--min-finished', '1', '--json', ...args],
  ]);
const steps = ({ stdout }: { readonly stdout: string }) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

/** A device whose owner's phone reports the outcome of the update. */
async function device() {
  const { headers } = newUser();
  const { serial } = await fleetOf(backend).device();
  await backend.call('/claimDevice', { headers, body: { serial } });
  return (version: string, status: 'confirmed' | 'reverted') =>
    backend.call('/ota/reports', { headers, body: { serial, attempt_id: `a-${version}`, version, status } });
}

describe('a stepwise firmware deployment', () => {
  it('starts with a few devices, waits for their reports, continues, and ends with all', async () => {
    const report = await device();
    const early = await deploy('1.1.0', '--steps', '50', '100', '--settled-pct', '100');
    expect(early.code).toBe(0);
    expect((await releases.get('/ota/releases/1.1.0')).body.release.rollout_pct).toBe(50);
    await report('1.1.0', 'confirmed');
    expect(steps(await deploy('1.1.0', '--steps', '50', '100'))).toMatchObject([{ kind: 'widen', toPct: 100 }]);
    expect((await releases.get('/ota/releases/1.1.0')).body.release.rollout_pct).toBe(100);
    expect(steps(await deploy('1.1.0', '--steps', '50', '100', '--watch'))).toMatchObject([{ kind: 'done' }]);
  });

  it('stays with the few when the firmware fails, and reports it', async () => {
    const report = await device();
    await deploy('1.2.0', '--steps', '50', '100', '--settled-pct', '100');
    await report('1.2.0', 'reverted');
    const run = await deploy('1.2.0', '--steps', '50', '100');
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('100 % failed, more than 5 %')]);
    expect((await releases.get('/ota/releases/1.2.0')).body.release.rollout_pct).toBe(50);
  });

  it('does not start with steps that do not rise', async () => {
    const run = await deploy('1.3.0', '--steps', '50', '25');
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('ascending numbers')]);
  });
});
