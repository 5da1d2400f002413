import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import {
  appsWithShipped,
  BleLink,
  capacityBytesPerSecond,
  createProductFlash,
  drawLot,
  FleetDevice,
  GOOD_RADIO,
  PagePool,
  type RadioOptions,
  runFleet,
  SimulatedDevice,
  seededRandom,
  singleRelease,
  trustedKey,
  USUAL_MIX,
  updateDevice,
  VirtualTime,
} from '@autowatering/firmware-sim';
import { bytesInUse } from '../../cli/heap.ts';
import { median } from './statistics.ts';

const FIRMWARE = 'test/fixtures/firmware';
const REPETITIONS = 9;

/** An update of 720 KB over one kind of radio link. */
export interface UpdateResult {
  readonly mtu: number;
  /** Simulated time. */
  readonly uploadMs: number;
  readonly bytesPerSecond: number;
  /** Share of the link's capacity. */
  readonly linkShare: number;
  /** Including the chips' time to erase, write and swap. */
  readonly updateWithFlashMs: number;
  /** CPU of this machine for one update. */
  readonly cpuMs: number;
  /** `cpuMs` divided by the time to hash the image once. */
  readonly hashes: number;
}

export interface FleetResult {
  readonly devices: number;
  readonly wallMs: number;
  readonly perSecond: number;
  readonly idleBytes: number;
  /** Per device after its update, with the records of its visits. */
  readonly updatedBytes: number;
}

export interface SimulatorResult {
  readonly node: string;
  readonly imageBytes: number;
  /** Milliseconds to hash the image once, the unit of `hashes`. */
  readonly hashMs: number;
  readonly updates: readonly UpdateResult[];
  readonly fleets: readonly FleetResult[];
}

const LINKS: readonly { readonly mtu: number; readonly radio: Partial<RadioOptions> }[] = [
  { mtu: 23, radio: { dataLength: 27 } },
  { mtu: 247, radio: {} },
  { mtu: 498, radio: {} },
];

export async function benchSimulator(
  sizes: readonly number[],
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<SimulatorResult> {
  const read = (name: string) => readFile(`${FIRMWARE}/${name}`);
  const [factory, small, image] = await Promise.all(
    ['1.0.0', '1.1.0', '2.0.0'].map((version) => read(`autowatering-${version}.signed.bin`)),
  );
  if (factory === undefined || small === undefined || image === undefined) throw new Error('an image is missing');
  const keys = [trustedKey((await read('dev-signing-key.pub.pem')).toString('utf8'))];
  const hashMs = median(Array.from({ length: 50 }, () => timed(() => void sha256(image))));

  const updates: UpdateResult[] = [];
  for (const { mtu, radio } of LINKS) {
    signal.throwIfAborted();
    onStep(`720 KB at an MTU of ${mtu}`);
    updates.push(await benchUpdate({ factory, image, keys, mtu, radio: { ...GOOD_RADIO, ...radio }, hashMs }));
  }
  const fleets: FleetResult[] = [];
  for (const size of sizes) {
    onStep(`${size} devices`);
    fleets.push(await benchFleet({ factory, image: small, keys, size, signal }));
  }
  return { node: process.versions.node, imageBytes: image.byteLength, hashMs, updates, fleets };
}

interface UpdateCase {
  readonly factory: Uint8Array;
  readonly image: Uint8Array;
  readonly keys: readonly ReturnType<typeof trustedKey>[];
  readonly mtu: number;
  readonly radio: RadioOptions;
  readonly hashMs: number;
}

async function benchUpdate(one: UpdateCase): Promise<UpdateResult> {
  const cpu: number[] = [];
  const upload = { firstMs: 0, firstBytes: 0, lastMs: 0, lastBytes: 0 };
  for (let i = 0; i < REPETITIONS; i += 1) {
    const before = process.cpuUsage();
    await updateOnce(one, false, (atMs, bytes) => {
      if (upload.firstBytes === 0) Object.assign(upload, { firstMs: atMs, firstBytes: bytes });
      Object.assign(upload, { lastMs: atMs, lastBytes: bytes });
    });
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1_000);
  }
  const uploadMs = upload.lastMs - upload.firstMs;
  const bytesPerSecond = ((upload.lastBytes - upload.firstBytes) * 1_000) / uploadMs;
  const cpuMs = median(cpu);
  return {
    ...{ mtu: one.mtu, uploadMs, bytesPerSecond, cpuMs, hashes: cpuMs / one.hashMs },
    linkShare: bytesPerSecond / capacityBytesPerSecond(one.mtu, one.radio),
    updateWithFlashMs: await updateOnce(one, true, () => {}),
  };
}

/** @returns simulated milliseconds from the phone's first check to the confirmation */
async function updateOnce(
  { factory, image, keys, mtu, radio }: UpdateCase,
  isFlashTimed: boolean,
  onProgress: (atMs: number, bytes: number) => void,
): Promise<number> {
  const time = new VirtualTime();
  const flash = createProductFlash({ timed: isFlashTimed });
  const device = new SimulatedDevice({ firmware: factory, keys, time, flash });
  const link = new BleLink(device, { mtu, radio, time });
  const connect = () => link.connect();
  const { outcome } = await time.run(() =>
    updateDevice({ connect, image, time, onProgress: ({ sentBytes }) => onProgress(time.now(), sentBytes) }),
  );
  if (outcome !== 'confirmed') throw new Error(`the update was not confirmed: ${outcome}`);
  return time.now();
}

interface FleetCase {
  readonly factory: Uint8Array;
  readonly image: Uint8Array;
  readonly keys: readonly ReturnType<typeof trustedKey>[];
  readonly size: number;
  readonly signal: AbortSignal;
}

async function benchFleet({ factory, image, keys, size, signal }: FleetCase): Promise<FleetResult> {
  const random = seededRandom(1);
  // One app on all phones keeps nights comparable when the shipped app's usual share changes.
  const mix = { ...USUAL_MIX, profiles: appsWithShipped(0) };
  const pool = new PagePool();
  const before = bytesInUse();
  const devices = Array.from({ length: size }, (_, index) => {
    const lot = drawLot(mix, random);
    return new FleetDevice({ serial: String(index), lot, seed: index, pool, firmware: factory, keys });
  });
  const idleBytes = (bytesInUse() - before) / size;
  const release = singleRelease({ version: '1.1.0', image, sha256: sha256(image) });
  const started = performance.now();
  const records = await runFleet(devices, { backendOf: () => release, concurrency: 32, signal });
  const wallMs = performance.now() - started;
  const updated = records.filter(({ updatedAtMs }) => updatedAtMs !== undefined).length;
  const updatedBytes = (bytesInUse() - before) / size;
  return { devices: devices.length, wallMs, perSecond: (updated * 1_000) / wallMs, idleBytes, updatedBytes };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function timed(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
