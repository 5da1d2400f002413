import { createHash } from 'node:crypto';
import {
  appsWithShipped,
  type BackendClient,
  createProductFlash,
  decodeFields,
  decodeSmpHeader,
  drawLot,
  type Fate,
  FleetDevice,
  GROUP,
  LinkLostError,
  PagePool,
  runFleet,
  SMP_HEADER_BYTES,
  seededRandom,
  singleRelease,
  summarizeFleet,
  type Transport,
  type UpdateOptions,
  USUAL_MIX,
  updateByShippedApp,
  visitDevice,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { DEV_KEY, firmware, GOOD } from '../../support/firmware.ts';
import { type BenchOptions, type TestBench, testBench } from '../../support/test-bench.ts';

const [OLD, NEW, LARGE] = [firmware(GOOD['1.0.0']), firmware(GOOD['1.1.0']), firmware(GOOD['2.0.0'])];
const NOT_CONNECTED = 'The device is not connected.';
const DIFFERENT_IMAGE = 'Device booted into a different image after reboot.';

const timedBench = (options: BenchOptions = {}) =>
  testBench({ ...options, device: { flash: createProductFlash({ timed: true }), ...options.device } });

/** Lets a person update the device with the shipped app; returns what they read and how long the upload took. */
async function press(bench: TestBench, image: Uint8Array, more: Partial<UpdateOptions> = {}) {
  const { time, link } = bench;
  const messages: string[] = [];
  const uploads: { first: number; last: number }[] = [];
  const outcome = await time.run(() =>
    updateByShippedApp({
      ...{ connect: () => link.connect(), image, time, onMessage: (message) => messages.push(message) },
      ...more,
      onPhase(phase) {
        if (phase === 'uploading') uploads.push({ first: time.now(), last: time.now() });
        more.onPhase?.(phase);
      },
      onProgress() {
        const upload = uploads.at(-1);
        if (upload !== undefined) upload.last = time.now();
      },
    }),
  );
  return { outcome, messages, uploadSeconds: uploads.map(({ first, last }) => (last - first) / 1_000) };
}

/** Records every upload request that reaches the device, and how many are unanswered at once. */
function listen({ device }: TestBench) {
  const chunks: { version: number; offset: number; bytes: number; keys: string[] }[] = [];
  const seen = { chunks, mostAtOnce: 0 };
  let waiting = 0;
  const accept = device.accept.bind(device);
  device.accept = (packet, requester) => {
    const header = decodeSmpHeader(packet);
    const fields = decodeFields(packet.subarray(SMP_HEADER_BYTES));
    const data = fields?.get('data');
    if (header?.group === GROUP.image && header.command === 1 && data instanceof Uint8Array) {
      const keys = [...(fields?.keys() ?? [])].map(String);
      chunks.push({ version: header.version, offset: Number(fields?.get('off')), bytes: data.byteLength, keys });
    }
    waiting += 1;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, waiting);
    accept(packet, {
      respond(answer, sent) {
        waiting -= 1;
        requester.respond(answer, sent);
      },
    });
  };
  return seen;
}

describe('the shipped app', () => {
  it.each([
    ['99 KB', NEW, 23],
    ['720 KB', LARGE, 169],
  ])('takes about as long for %s at an MTU of 247 as in the field', async (_size, image, seconds) => {
    const { outcome, messages, uploadSeconds } = await press(timedBench(), image);
    expect(outcome).toMatchObject({ outcome: 'confirmed', reconnects: 1 });
    expect(messages).toEqual([]);
    expect(uploadSeconds).toHaveLength(1);
    // Flash timing adds up to eight seconds of erasing, which the field figures may or may not include.
    expect(uploadSeconds[0]).toBeGreaterThan(seconds * 0.9);
    expect(uploadSeconds[0]).toBeLessThan(seconds * 1.15);
  });

  it('is slower than the simulator’s own phone, especially on fast links', async () => {
    const secondsOf = async (mtu: number) => {
      const [own, shipped] = [testBench({ link: { mtu } }), testBench({ link: { mtu } })];
      await own.update(NEW);
      await press(shipped, NEW);
      return shipped.time.now() / own.time.now();
    };
    const [slow, fast] = [await secondsOf(23), await secondsOf(498)];
    expect(slow).toBeGreaterThan(1.2);
    expect(fast).toBeGreaterThan(3);
  });

  it.each([23, 247, 498])('sends 128 bytes at a time, one chunk after the other, at an MTU of %i', async (mtu) => {
    const bench = testBench({ link: { mtu } });
    const seen = listen(bench);
    expect((await press(bench, NEW)).outcome.outcome).toBe('confirmed');
    expect(seen.mostAtOnce).toBe(1);
    expect(seen.chunks).toHaveLength(Math.ceil(NEW.byteLength / 128));
    expect(new Set(seen.chunks.slice(0, -1).map(({ bytes }) => bytes))).toEqual(new Set([128]));
    expect(new Set(seen.chunks.map(({ version }) => version))).toEqual(new Set([0]));
    expect(seen.chunks[0]?.keys.sort()).toEqual(['data', 'len', 'off', 'sha']);
  });

  it('shows a drop to the person, who presses again 44 s later, and continues where the device says', async () => {
    const bench = testBench();
    const seen = listen(bench);
    bench.link.dropAfter(60_000);
    let droppedAt = 0;
    const connectedAt: number[] = [];
    const connect = async () => {
      const transport = await bench.link.connect();
      connectedAt.push(bench.time.now());
      transport.onClose(() => {
        if (droppedAt === 0) droppedAt = bench.time.now();
      });
      return transport;
    };
    const { outcome, messages } = await press(bench, NEW, { connect });
    expect(outcome).toMatchObject({ outcome: 'confirmed', reconnects: 2 });
    expect(messages).toEqual([NOT_CONNECTED]);
    expect((connectedAt[1] ?? 0) - droppedAt).toBeCloseTo(44_050, -2);
    const again = seen.chunks.findLastIndex(({ offset }) => offset === 0);
    const [before, after] = [seen.chunks[again - 1], seen.chunks[again + 1]];
    expect(before?.offset).toBeGreaterThan(40_000);
    // The first chunk asks for the offset. Only the chunk that was in flight is sent again.
    expect(after?.offset).toBeGreaterThanOrEqual(before?.offset ?? Number.NaN);
    await bench.reset();
    expect(Buffer.compare(bench.device.slotBytes(0, NEW.byteLength), NEW)).toBe(0);
  });

  it('is abandoned by a person after three presses without progress', async () => {
    const bench = testBench();
    let isGone = false;
    const messages: string[] = [];
    const connect = async (): Promise<Transport> => {
      if (isGone) throw new LinkLostError('out of range');
      return bench.link.connect();
    };
    const onPhase = (phase: string) => {
      if (phase === 'uploading') bench.link.dropAfter(20_000);
      isGone ||= phase === 'uploading';
    };
    const onMessage = (message: string) => messages.push(message);
    await expect(press(bench, NEW, { connect, onPhase, onMessage })).rejects.toThrow('out of range');
    expect(messages).toEqual([NOT_CONNECTED, NOT_CONNECTED, NOT_CONNECTED]);
  });

  it.each([
    ['the bootloader refuses', 'bit-flip-1.2.0.signed.bin', {}, 'refused'],
    [
      'fails its self-test',
      GOOD['1.1.0'],
      { application: ({ version }) => (version.minor === 1 ? { selfTest: 'fails' } : {}) },
      'rolled_back',
    ],
  ] as const satisfies readonly (readonly [string, string, BenchOptions['device'], string])[])(
    'reports that a different image runs when the new one %s',
    async (_what, name, device, outcome) => {
      const bench = testBench({ device });
      const ended = await press(bench, firmware(name));
      expect(ended.outcome).toMatchObject({ outcome, reason: DIFFERENT_IMAGE, runningVersion: '1.0.0.1' });
      expect(ended.messages).toEqual([DIFFERENT_IMAGE]);
    },
  );

  it('waits for a swap of full slots, which takes about a minute', async () => {
    const bench = timedBench({ device: { firmware: LARGE } });
    await press(bench, NEW);
    const { outcome } = await press(bench, LARGE);
    expect(outcome.outcome).toBe('confirmed');
  });

  it('cannot resume a trial that a drop left unconfirmed: the device refuses its upload', async () => {
    const bench = testBench();
    const onPhase = (phase: string) => {
      if (phase === 'validating' && bench.device.boots === 2) bench.link.dropAfter(0);
    };
    const { outcome, messages } = await press(bench, NEW, { onPhase });
    expect(outcome).toMatchObject({ outcome: 'unconfirmed', version: '1.1.0.7' });
    expect(messages).toEqual([NOT_CONNECTED, 'SMP command failed with rc=6.']);
    await bench.reset();
    expect(bench.device.runningVersion).toBe('1.0.0.1');
    expect((await press(bench, NEW)).outcome.outcome).toBe('confirmed');
  });

  it('cannot read answers with indefinite lengths', async () => {
    const bench = testBench({ device: { cbor: 'indefinite' } });
    const { outcome, messages } = await press(bench, NEW);
    expect(outcome).toMatchObject({ outcome: 'refused', phase: 'inspecting' });
    expect(messages).toEqual(['the answer is not CBOR with definite lengths']);
  });

  it('stops when aborted', async () => {
    const bench = testBench();
    const controller = new AbortController();
    bench.time.after(3_000, () => controller.abort(new Error('the app was closed')));
    await expect(press(bench, NEW, { signal: controller.signal })).rejects.toThrow('the app was closed');
    expect(bench.device.runningVersion).toBe('1.0.0.1');
  });
});

const release = singleRelease({
  ...{ version: '1.1.0', image: NEW, sha256: createHash('sha256').update(NEW).digest('hex') },
});

it('a phone with the shipped app names no device to the backend, and reports nothing', async () => {
  const asked: (string | undefined)[] = [];
  const reported: unknown[] = [];
  const backend: BackendClient = {
    ...release,
    latest: (serial, version) => {
      asked.push(serial);
      return release.latest(serial, version);
    },
    async report(reports) {
      reported.push(...reports);
      return [];
    },
  };
  const bench = testBench();
  const visit = (profile: 'own' | 'shipped-app', runningVersion: string) =>
    bench.time.run(() =>
      visitDevice({
        ...{ backend, serial: '000001', runningVersion, attemptId: 'a-1', time: bench.time, profile },
        connect: () => bench.link.connect(),
      }),
    );
  expect(await visit('shipped-app', '1.0.0.1')).toMatchObject({ outcome: 'confirmed' });
  expect([asked, reported]).toEqual([[undefined], []]);
  expect(await visit('own', '1.0.0.1')).toMatchObject({ outcome: 'already_running' });
  expect([asked, reported.length]).toEqual([[undefined, '000001'], 3]);
});

describe('a fleet', () => {
  const devicesOf = (count: number, percent: number, fate?: Fate) => {
    const random = seededRandom(2);
    const pool = new PagePool();
    const mix = { ...USUAL_MIX, profiles: appsWithShipped(percent) };
    return Array.from({ length: count }, (_, seed) => {
      const lot = drawLot(mix, random);
      const chosen = fate === undefined ? lot : { ...lot, fate };
      return new FleetDevice({ serial: `${seed}`, lot: chosen, seed, pool, firmware: OLD, keys: [DEV_KEY] });
    });
  };
  const run = async (devices: readonly FleetDevice[]) =>
    summarizeFleet(await runFleet(devices, { backendOf: () => release, concurrency: 8 }));

  it('has the shipped app on half of its phones by default', () => {
    const random = seededRandom(1);
    const lots = Array.from({ length: 1_000 }, () => drawLot(USUAL_MIX, random));
    const shipped = lots.filter(({ profile }) => profile === 'shipped-app').length;
    expect(shipped).toBeGreaterThan(450);
    expect(shipped).toBeLessThan(550);
  });

  it.each([
    [0, { own: { confirmed: 6 } }],
    [100, { 'shipped-app': { confirmed: 6 } }],
  ])('has it on the given percentage: %i %%', async (percent, profiles) => {
    expect((await run(devicesOf(6, percent, 'goes_well'))).profiles).toEqual(profiles);
  });

  it.each([
    ['rejects', 'refused'],
    ['rolls_back', 'rolled_back'],
    ['hangs', 'rolled_back'],
    ['vanishes', 'lost'],
    ['comes_back', 'confirmed'],
    ['loses_power', 'confirmed'],
  ] as const)("with the shipped app ends according to each device's fate: %s", async (fate, outcome) => {
    expect((await run(devicesOf(2, 100, fate))).outcomes).toEqual({ [outcome]: 2 });
  });
});
