import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  type BackendClient,
  BleLink,
  backendClient,
  type Report,
  SimulatedDevice,
  VirtualTime,
  visitDevice,
} from '@autowatering/firmware-sim';
import pMap from 'p-map';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Backend, startBackend } from '../support/backend.ts';
import { fleetOf, type MadeDevice } from '../support/fleet.ts';
import { releasesOf } from '../support/releases.ts';
import { SMALL_KEY, SMALL_PEM, signedImage, smallSlots } from '../support/small-slots.ts';
import { newUser } from '../support/tokens.ts';

/*
 * A rollout as it should go: 200 owners with simulated devices, a bad release that halts itself, and a fixed one that
 * reaches them all. Phones behave like the app and know only the API.
 */

const DEVICES = 200;
const AT_ONCE = 25;
const IMAGE_BYTES = 4_096;
const CHANNEL = 'stable';

interface Owned {
  readonly index: number;
  readonly made: MadeDevice;
  readonly device: SimulatedDevice;
  readonly time: VirtualTime;
  readonly idToken: string;
}

let backend: Backend;
let releases: ReturnType<typeof releasesOf>;
let fleet: readonly Owned[];

beforeAll(async () => {
  backend = await startBackend({ OTA_IMAGE_SIGNATURES: 'required' }, { isDirect: true });
  releases = releasesOf(backend);
  await releases.post('/ota/keys', { public_key: SMALL_PEM });
  const factory = fleetOf(backend);
  const firmware = signedImage([1, 0, 0], IMAGE_BYTES);
  // A few gardeners with many devices each: one household, one address.
  const gardeners = Array.from({ length: 10 }, () => newUser());
  fleet = await pMap(
    Array.from({ length: DEVICES }, (_, index) => index),
    async (index) => {
      const { privateKey, publicKey } = keyPair(index);
      const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
      const made = await factory.device({ public_key: spki, metadata: { firmware_version: '1.0.0' } });
      const { headers } = gardeners[index % gardeners.length] ?? newUser();
      const idToken = headers.Authorization.slice('Bearer '.length);
      const time = new VirtualTime();
      await backend.call('/claimDevice', { headers, body: { serial: made.serial } });
      const identity = { hwId: made.hw_id, privateKey };
      const device = new SimulatedDevice({ firmware, keys: [SMALL_KEY], flash: smallSlots(), identity, time });
      return { index, made, device, time, idToken };
    },
    { concurrency: AT_ONCE },
  );
});
afterAll(() => backend.stop());

function keyPair(index: number): { privateKey: KeyObject; publicKey: KeyObject } {
  const { privateKey } =
    index % 2 === 0 ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

/** One round of a phone: ask, download, update, and report each phase. */
async function visit(
  { made, device, time, idToken, index }: Owned,
  isBad: (owned: number, version: string) => boolean,
) {
  const link = new BleLink(device, { mtu: 247, time });
  let offered = '';
  const outcome = await time.run(() =>
    visitDevice({
      ...{ serial: made.serial, time, runningVersion: device.runningVersion ?? '', attemptId: `a-${index}` },
      connect: () => link.connect(),
      backend: mostlySilent(backendClient({ apiBaseUrl: backend.url, idToken }), index),
      phone: { model: 'Pixel 9' },
      outside: (work) => time.outside(work),
      onOffer: ({ version }) => {
        offered = version;
      },
      validate: async () => !isBad(index, offered),
    }),
  );
  if (outcome.outcome === 'unconfirmed') {
    // The new firmware fails its test: after a power cycle the bootloader restores the old one, and the phone sees it.
    device.cutPower();
    device.restorePower();
    await time.advance(60_000);
    const body = { serial: made.serial, attempt_id: `a-${index}`, version: offered, status: 'reverted' };
    await backend.call('/ota/reports', { headers: { Authorization: `Bearer ${idToken}` }, body });
  }
  return outcome.outcome === 'nothing_offered' ? outcome.reason : outcome.outcome;
}

/** Nine in ten phones are offline in the garden and report only the outcome. Other tests cover the counts per phase. */
function mostlySilent(client: BackendClient, index: number): BackendClient {
  if (index % 10 === 0) return client;
  const isEnding = ({ status }: Report) => status === 'confirmed' || status === 'reverted' || status === 'failed';
  return {
    ...client,
    async report(reports) {
      const endings = reports.filter(isEnding);
      return endings.length === 0 ? [] : client.report(endings);
    },
  };
}

async function visitAll(
  some: readonly Owned[],
  isBad: (owned: number, version: string) => boolean,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  await pMap(
    some,
    async (owned) => {
      const outcome = await visit(owned, isBad);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    },
    { concurrency: AT_ONCE },
  );
  return counts;
}

const stats = async (version: string) => (await releases.get(`/ota/releases/${version}/stats`)).body;

it('a bad release at 10 % halts itself, the fixed one reaches everyone, and every device ends up on it', async () => {
  const publish = async (version: readonly [number, number, number], channel: string, fields: object) => {
    const name = version.join('.');
    await releases.draft(name, channel, fields, signedImage(version, IMAGE_BYTES));
    expect((await releases.step(name, 'publish', channel)).status).toBe(200);
  };
  const policy = { halt_policy: { min_reports: 5, max_failure_pct: 10 } };
  await publish([1, 1, 0], CHANNEL, { rollout_pct: 10, ...policy });
  const { eligible } = await stats('1.1.0');
  expect(eligible).toBe(20);

  // Every third device that gets it reverts. Which devices are in the rollout is random.
  const reached: number[] = [];
  const first = await visitAll(fleet, (index, version) => {
    if (version !== '1.1.0') return false;
    if (!reached.includes(index)) reached.push(index);
    return reached.indexOf(index) % 3 === 0;
  });
  expect((first['not_in_rollout'] ?? 0) + (first['paused'] ?? 0)).toBeGreaterThan(150);
  const bad = await stats('1.1.0');
  expect(bad).toMatchObject({ state: 'halted', verified: bad.confirmed });
  expect(bad.failures).toBeGreaterThan(0);
  expect(bad.failures * 10).toBeGreaterThanOrEqual(bad.halt_policy.min_reports);
  // It is no longer offered, and no device is lost: each runs the old or the new firmware.
  const again = await visitAll(fleet.slice(0, 40), () => true);
  expect((again['paused'] ?? 0) + (again['up_to_date'] ?? 0)).toBe(40);
  expect(new Set(fleet.map(({ device }) => device.runningVersion))).toEqual(new Set(['1.0.0', '1.1.0']));

  await publish([1, 1, 1], 'beta', policy);
  const promoted = await releases.post('/ota/releases/1.1.1/promote', { rollout_pct: 0 });
  expect(promoted.body.release).toMatchObject({ channel: CHANNEL, rollout_pct: 0, state: 'published' });
  await releases.step('1.1.1', 'rollout', CHANNEL, { rollout_pct: 100 });
  expect(await visitAll(fleet, () => false)).toEqual({ confirmed: DEVICES });

  expect(new Set(fleet.map(({ device }) => device.runningVersion))).toEqual(new Set(['1.1.1']));
  expect(await stats('1.1.1')).toMatchObject({
    ...{ state: 'published', eligible: DEVICES, reached: DEVICES, confirmed: DEVICES, verified: DEVICES },
    ...{ finished: DEVICES, failures: 0, failure_pct: 0 },
  });
  const summary = await fleetOf(backend).get('/fleet/summary');
  expect(summary.body.by_version).toEqual([{ board: 'arduino_nano_33_ble', version: '1.1.1', devices: DEVICES }]);
}, 120_000);
