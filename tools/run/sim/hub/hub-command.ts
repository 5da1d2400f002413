import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  BleLink,
  type DeviceInRange,
  type FaultKind,
  fileHubMemory,
  Garden,
  Hub,
  type HubVisit,
  PairingError,
  realAir,
  realTime,
  registerHub,
  SimulatedDevice,
  trustedKey,
} from '@autowatering/firmware-sim';
import { Command } from 'commander';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { PlainError, RefusedError } from '../../../cli/plain-error.ts';
import { apiClient } from '../../../cli/target/api-client.ts';
import { apiOptions } from '../../../cli/target/system-options.ts';
import { findTarget, type TargetOptions } from '../../../cli/target/target.ts';
import { wholeNumberUpTo } from '../../../cli/terminal/number-arguments.ts';
import { progressDisplay } from '../../../cli/terminal/progress-display.ts';
import { faults } from '../garden-console.ts';
import { HubBoard } from './hub-board.ts';
import { hubDevices, type KeptDevice } from './hub-devices.ts';
import { ownerToken } from './owner-token.ts';

const FIRMWARE = 'test/fixtures/firmware';
const LOOK_EVERY_MS = 500;
const SHOWN_EVERY_MS = 250;
const ONLINE_WITHIN_MS = 15_000;

interface Options extends TargetOptions {
  readonly devices: number;
  readonly name: string;
  readonly directory: string;
  readonly ownerToken?: string;
  readonly firmware: string;
  readonly key: string;
  readonly fault: readonly FaultKind[];
  readonly once: boolean;
  readonly json: boolean;
}

const SigningKeys = z.object({ keys: z.array(z.object({ key_id: z.string(), public_key: z.string() })) });

/** `npm run sim -- hub`: a hub beside simulated devices, against a real backend. */
export function hubCommand(signal: AbortSignal): Command {
  return apiOptions(new Command('hub'))
    .description(
      'Runs a hub beside simulated devices of one owner: it updates them while no phone is near, reads their gardens, ' +
        'carries commands, and tells the owner’s phones over the relay. On its first start, devices are provisioned and claimed, and the hub is registered.',
    )
    .option('--devices <count>', 'number of devices in range', wholeNumberUpTo(50), 2)
    .option('--name <name>', 'name of the hub in the account', 'Simulated hub')
    .option('--directory <path>', 'where the hub keeps its key and what it has begun', '.local/sim-hub')
    .option('--owner-token <file>', "file with the owner's Cognito id token (default: the local stack's demo user)")
    .option('--token <secret>', 'the factory token (default: from the system)')
    .option('--firmware <file>', 'the factory firmware', path.join(FIRMWARE, 'autowatering-1.0.0.signed.bin'))
    .option('--key <file>', 'the public key that the bootloaders trust', path.join(FIRMWARE, 'dev-signing-key.pub.pem'))
    .option('--fault <name[:zone]>', 'what is wrong with the gardens, as with "npm run sim"', faults, [])
    .option('--once', 'visit each device once, and stop', false)
    .option('--json', 'print each visit as a line of JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExamples, with "npm run dev" running:\n  npm run sim -- hub\n  npm run sim -- hub --local --devices 5 --once --json\n' +
        '  npm run ota -- publish --artifact-path test/fixtures/firmware/autowatering-1.1.0.signed.bin   (something to carry)\n' +
        '  npm run relay -- tail devices          (what the phones learn)\n' +
        '\nCtrl-C in the middle of an update is a power failure of the hub; the next start continues it.\n',
    )
    .action((options: Options) => run(options, signal));
}

async function run(options: Options, signal: AbortSignal): Promise<void> {
  if (options.env === 'prod') throw new RefusedError('Simulated hubs are not allowed in prod.');
  const target = await findTarget(options, { changes: true, signal });
  const { apiBaseUrl } = target;
  const display = progressDisplay(options.json ? 'silent' : 'people');
  const [firmware, key] = await Promise.all([readFile(options.firmware), readFile(options.key, 'utf8')]);
  const call = apiClient(apiBaseUrl, signal);
  const owner = () => ownerToken(options.ownerToken, apiBaseUrl, options.stack);
  const kept = await display.during('Devices of the owner', async () =>
    hubDevices(options.directory, options.devices, {
      ...{ call, factoryToken: await target.token('factoryToken'), idToken: await owner() },
    }),
  );
  const { keys } = await call('/ota/signing-keys', SigningKeys);
  const board = new HubBoard(options.json);
  const hub = await Hub.start({
    memory: fileHubMemory(path.join(options.directory, 'hub.json')),
    devices: kept.map((device) => inRange(device, firmware, trustedKey(key), options.fault)),
    signingKeys: Object.fromEntries(keys.map(({ key_id: id, public_key: pem }) => [id, pem])),
    openSocket: (url, subprotocols) => new WebSocket(url, subprotocols),
    onState: (state) => board.entered(state),
    onPhase: (serial, phase) => board.phase(serial, phase),
    onSynced: (synced) => board.synced(synced),
    onCarried: (carried) => board.carried(carried),
    onProgress: (serial, { sentBytes, totalBytes }) => board.progress(serial, sentBytes / totalBytes),
  });
  try {
    if (hub.state === 'unowned') {
      await registered(hub, { apiUrl: apiBaseUrl, idToken: await owner(), name: options.name, signal });
      display.done(`Registered as “${options.name}”, peer ${hub.peerId}; its QR code says ${hub.label}`);
    }
    await display.live(
      () => `${board}`,
      SHOWN_EVERY_MS,
      () => (options.once ? visitOnce(hub, board, signal) : watch(hub, board, signal)),
    );
  } finally {
    await hub.stop();
  }
  const ended = ENDINGS[hub.state];
  if (ended !== undefined) throw new PlainError(ended);
}

const ENDINGS: Partial<Record<Hub['state'], string>> = {
  revoked: 'The hub was revoked, and has forgotten its key. The next start makes a new one.',
  refused: 'The relay refuses this hub, or is not the one it knows: is another one running with the same directory?',
};

function inRange(
  { hwId, privateKey }: KeptDevice,
  firmware: Uint8Array,
  key: ReturnType<typeof trustedKey>,
  wrong: readonly FaultKind[],
): DeviceInRange {
  // The device's clock began with this process.
  const startsAt = Date.now() - realTime.now();
  const planted = wrong.map((fault) => ({ ...fault, from: startsAt, until: Number.MAX_SAFE_INTEGER }));
  const garden = new Garden({ startsAt, seed: Number.parseInt(hwId.slice(-6), 16), faults: planted });
  const device = new SimulatedDevice({ firmware, keys: [key], identity: { hwId, privateKey }, garden });
  return { hwId, link: new BleLink(device, { mtu: 247 }), air: realAir };
}

async function registered(hub: Hub, how: Omit<Parameters<typeof registerHub>[0], 'hub'>): Promise<void> {
  try {
    await registerHub({ ...how, hub });
  } catch (error) {
    if (!(error instanceof PairingError)) throw error;
    throw new PlainError(`The hub could not be registered: ${error.message}`);
  }
}

async function visitOnce(hub: Hub, board: HubBoard, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + ONLINE_WITHIN_MS;
  while (hub.state === 'offline' && Date.now() < deadline && !signal.aborted) await pause(signal);
  board.visited(await roundUntil(hub, signal));
  // What it tells its owner's phones is on its way.
  while (hub.state === 'online' && hub.untold > 0 && Date.now() < deadline && !signal.aborted) await pause(signal);
}

async function watch(hub: Hub, board: HubBoard, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && (hub.state === 'online' || hub.state === 'offline')) {
    board.visited(await roundUntil(hub, signal));
    await pause(signal);
  }
}

/** Ctrl-C takes the hub's power, whatever it does. */
async function roundUntil(hub: Hub, signal: AbortSignal): Promise<readonly HubVisit[]> {
  const cut = () => void hub.stop();
  signal.addEventListener('abort', cut, { once: true });
  try {
    return await hub.round();
  } finally {
    signal.removeEventListener('abort', cut);
  }
}

/** Ends early, without an error, when the signal is aborted. */
async function pause(signal: AbortSignal): Promise<void> {
  await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
}
