import { generateKeyPairSync } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import {
  BleLink,
  Hub,
  memoryHubMemory,
  registerHub,
  SimulatedDevice,
  type TrustedKey,
  VirtualTime,
  virtualAir,
} from '@autowatering/firmware-sim';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { apiClient } from '../../cli/target/api-client.ts';
import type { StackFile } from '../local-stack/stack-file.ts';
import { HouseholdPhone } from './household-phone.ts';
import { type Story, StoryError } from './story.ts';

const HUB_DEVICE = 'C0:FF:EE:00:00:06';
const ZONE = 'zone-1';
const OUT_WITHIN_MS = 1_000;

const Provisioned = z.looseObject({ serial: z.string() });
const SigningKeys = z.object({ keys: z.array(z.object({ key_id: z.string(), public_key: z.string() })) });

export interface Household {
  readonly story: Story;
  readonly stack: StackFile;
  readonly idToken: string;
  /** What the owner's second device comes with from the factory. */
  readonly firmware: Uint8Array;
  readonly key: TrustedKey;
  readonly signal: AbortSignal;
}

/** Two phones of one household and a hub in its garden stay in step over the relay, and a lost phone is shut out. */
export async function householdChapter(household: Household): Promise<void> {
  const { story, stack, idToken } = household;
  const phones = await story.display.during('Two phones join the relay', async () => [
    await HouseholdPhone.register(stack, idToken, 'Ada’s phone'),
    await HouseholdPhone.register(stack, idToken, 'Grace’s phone'),
  ]);
  const [ada, grace] = phones;
  if (ada === undefined || grace === undefined) throw new StoryError('two phones are needed');
  const closing = phones.map(
    ({ relay }) =>
      () =>
        relay.close(),
  );
  try {
    await editOffline(story, ada, grace);
    const hub = await startHub(household);
    closing.push(() => void hub.hub.stop());
    await updateByHub(household, hub, ada, grace);
    await revokeLostPhone(household, grace);
  } finally {
    for (const close of closing) close();
  }
}

async function editOffline(story: Story, ada: HouseholdPhone, grace: HouseholdPhone): Promise<void> {
  await ada.edit(ZONE, { name: 'Tomatoes', litres: 2.5 });
  await grace.until('the zone did not arrive', () => grace.zones.has(ZONE));
  await Promise.all([ada.goAway(), grace.goAway()]);
  const edits = [ada.edit(ZONE, { name: 'Greenhouse' }), grace.edit(ZONE, { litres: 4 })];
  story.fact('both phones are offline: Ada renames the zone, Grace gives it more water');
  await Promise.all([ada.comeBack(), grace.comeBack()]);
  await Promise.all(edits);
  const merged = JSON.stringify({ name: 'Greenhouse', litres: 4 });
  for (const phone of [ada, grace]) await phone.until('an edit vanished', () => phone.zone(ZONE) === merged);
  story.promise(
    ada.conflicts + grace.conflicts === 1,
    `the second to come back got a conflict and merged; both show ${merged}`,
  );
}

interface Garden {
  readonly hub: Hub;
  readonly device: SimulatedDevice;
  readonly serial: string;
  readonly show: { advanceTo: (share: number) => void };
}

/** The owner's second device, with a hub beside it that the phone registers. */
async function startHub({ story, stack, idToken, firmware, key, signal }: Household): Promise<Garden> {
  const call = apiClient(stack.apiBaseUrl, signal);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { serial } = await call('/provision', Provisioned, {
    method: 'POST',
    headers: { 'x-factory-token': stack.factoryToken, 'x-factory-station': 'line-1' },
    body: { hw_id: HUB_DEVICE, public_key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
  });
  const headers = { Authorization: `Bearer ${idToken}` };
  await call('/claimDevice', z.unknown(), { method: 'POST', headers, body: { serial } });
  const time = new VirtualTime();
  const device = new SimulatedDevice({ time, firmware, keys: [key], identity: { hwId: HUB_DEVICE, privateKey } });
  const link = new BleLink(device, { mtu: 247, time });
  // A hub ships with these keys, as an app does.
  const { keys } = await call('/ota/signing-keys', SigningKeys);
  const show = { advanceTo: (_share: number) => {} };
  const hub = await Hub.start({
    memory: memoryHubMemory(),
    devices: [{ hwId: HUB_DEVICE, link, air: virtualAir(time) }],
    signingKeys: Object.fromEntries(keys.map(({ key_id: id, public_key: pem }) => [id, pem])),
    openSocket: (url, subprotocols) => new WebSocket(url, subprotocols),
    onProgress: (_serial, { sentBytes, totalBytes }) => show.advanceTo(sentBytes / totalBytes),
  });
  await registerHub({ apiUrl: stack.apiBaseUrl, idToken, name: 'Garden shed', hub, signal });
  story.fact(`Ada scanned the hub's QR code: it is a peer with a key of its own, beside device ${serial}`);
  return { hub, device, serial, show };
}

async function updateByHub(
  { story }: Household,
  { hub, device, serial, show }: Garden,
  ada: HouseholdPhone,
  grace: HouseholdPhone,
): Promise<void> {
  const before = device.runningVersion;
  await Promise.all([ada.goAway(), grace.goAway()]);
  const visits = await story.display.bar('Both phones are away: the hub updates the device', 1, (advanceTo) => {
    show.advanceTo = advanceTo;
    return hub.round();
  });
  const outcome = visits[0]?.outcome;
  const isDone = outcome?.outcome === 'confirmed' && outcome.isVerified;
  story.promise(
    isDone,
    `the hub took ${serial} from ${before} to ${device.runningVersion}; the device signed a receipt`,
  );
  await Promise.all([ada.comeBack(), grace.comeBack()]);
  const told = ['device.update.started', 'device.update.finished'].join();
  for (const phone of [ada, grace]) {
    await phone.until('a phone was not told', () => phone.deviceEvents.map(({ type }) => type).join() === told);
  }
  story.fact('back again, both phones learn that it began and how it ended');
}

async function revokeLostPhone({ story, stack, idToken, signal }: Household, lost: HouseholdPhone): Promise<void> {
  const call = apiClient(stack.apiBaseUrl, signal);
  const since = performance.now();
  const out = lost
    .until('the lost phone is still in', () => lost.relay.state.state === 'refused')
    .then(() => performance.now());
  const headers = { Authorization: `Bearer ${idToken}` };
  await call(`/relay/peers/${lost.peerId}/revoke`, z.unknown(), { method: 'POST', headers, body: {} });
  const ms = Math.round((await out) - since);
  story.promise(ms < OUT_WITHIN_MS, `Grace's phone is lost: Ada revokes it, and it is out after ${ms} ms`);
  lost.relay.connect();
  await lost.until('the lost phone got in again', () => lost.relay.state.state === 'refused');
  story.fact('its key opens nothing any more: it is refused when it tries again');
}
