import {
  BleLink,
  capacityBytesPerSecond,
  connectUdp,
  deviceCommands,
  encodePacket,
  fragments,
  GOOD_RADIO,
  LARGEST_MTU,
  LinkLostError,
  PacketReassembler,
  PairingRequiredError,
  type RadioOptions,
  realTime,
  SMALLEST_MTU,
  SmpClient,
  SmpTimeoutError,
  seededRandom,
  startUdpServer,
  updateDevice,
} from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firmware, GOOD } from '../../support/firmware.ts';
import { type BenchOptions, testBench } from '../../support/test-bench.ts';

const packet = (payload: Uint8Array) => encodePacket({ op: 2, version: 1, group: 0, sequence: 7, command: 0 }, payload);
const REAL: BenchOptions = { device: { time: realTime } };

describe('fragments', () => {
  it('of any packet in any size are reassembled', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 8, max: 498 }), (payload, size) => {
        const reassembler = new PacketReassembler(2475);
        const whole = packet(payload);
        const results = fragments(whole, size).map((piece) => reassembler.push(piece));
        expect(results.slice(0, -1).every((result) => result === undefined)).toBe(true);
        expect(Uint8Array.from(results.at(-1) ?? [])).toEqual(whole);
      }),
    );
  });

  it('that are invalid discard their packet, and the next one is complete again', () => {
    const reassembler = new PacketReassembler(100);
    expect(reassembler.push(packet(new Uint8Array(93)))).toBeUndefined();
    expect(reassembler.push(Uint8Array.of(1, 2, 3))).toBeUndefined();
    const [head = new Uint8Array()] = fragments(packet(new Uint8Array(40)), 20);
    expect(reassembler.push(head)).toBeUndefined();
    expect(reassembler.push(new Uint8Array(60))).toBeUndefined();
    expect(reassembler.push(packet(Uint8Array.of(1)))).toBeDefined();
  });

  it('of random bytes never give a packet longer than the buffer, or store more than one', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 40 }), (pieces) => {
        const reassembler = new PacketReassembler(256);
        for (const piece of pieces) expect(reassembler.push(piece)?.byteLength ?? 0).toBeLessThanOrEqual(256);
      }),
    );
  });
});

describe('the BLE link', () => {
  it.each([SMALLEST_MTU, 65, 185, 247, LARGEST_MTU])('carries requests and answers at an MTU of %d', async (mtu) => {
    const bench = testBench({ link: { mtu } });
    const text = 'water '.repeat(100);
    expect(await bench.ask((commands) => commands.echo(text))).toBe(text);
    expect(await bench.ask((commands) => commands.images())).toHaveLength(1);
  });

  it.each([22, 499])('rejects an MTU of %d', (mtu) => {
    expect(() => testBench({ link: { mtu } })).toThrow(RangeError);
  });

  it.each([
    [{ intervalMs: 7 }, /connection interval/],
    [{ intervalMs: 4_001 }, /connection interval/],
    [{ dataLength: 26 }, /27 to 251/],
    [{ dataLength: 252 }, /27 to 251/],
  ] as const)('rejects a radio of %j', async (radio, message) => {
    await expect(testBench({ link: { radio } }).connect()).rejects.toThrow(message);
  });

  it('serves one phone at a time, and none while the device is not running', async () => {
    const { time, link, device } = testBench();
    const connect = () => time.run(() => link.connect());
    const connection = await connect();
    await expect(connect()).rejects.toThrow(/another phone/);
    connection.close();
    await connect();
    device.cutPower();
    await expect(connect()).rejects.toThrow(/advertise/);
  });

  it('is lost with a reset: pending requests fail, later ones are refused', async () => {
    const { time, link, device } = testBench();
    const transport = await time.run(() => link.connect());
    const client = new SmpClient(transport, time);
    const waiting = deviceCommands(client).echo('lost');
    device.reset();
    await expect(waiting).rejects.toBeInstanceOf(LinkLostError);
    await expect(deviceCommands(client).echo('later')).rejects.toBeInstanceOf(LinkLostError);
    expect(() => transport.send(new Uint8Array(8), () => {})).toThrow(LinkLostError);
  });

  it('ignores unexpected answers', async () => {
    const { time, link } = testBench();
    const transport = await time.run(() => link.connect());
    const client = new SmpClient(transport, time);
    transport.send(packet(Uint8Array.of(0xa0)), () => {});
    expect(await time.run(() => deviceCommands(client).echo('still here'))).toBe('still here');
  });

  it('requires a paired phone if the device does, and remembers it', async () => {
    const bench = testBench({ link: { pairing: 'required' } });
    await expect(bench.connect()).rejects.toBeInstanceOf(PairingRequiredError);
    await expect(bench.update(GOOD['1.1.0'])).rejects.toBeInstanceOf(PairingRequiredError);
    bench.link.pair();
    await bench.reset();
    expect(await bench.update(GOOD['1.1.0'])).toMatchObject({ outcome: 'confirmed' });
  });

  it('costs one waiting request two connection events', async () => {
    const { time, connect } = testBench({ link: { radio: { intervalMs: 30 } } });
    const client = await connect();
    const echo = () => deviceCommands(client).echo('hello');
    await time.run(echo);
    const before = time.now();
    for (let i = 0; i < 10; i += 1) await time.run(echo);
    expect(time.now() - before).toBe(10 * 2 * 30);
  });

  it("adds the phone's latency in both directions", async () => {
    const roundTrip = async (latencyMs: number) => {
      const { time, connect } = testBench({ link: { radio: { latencyMs } } });
      const client = await connect();
      const before = time.now();
      await time.run(() => deviceCommands(client).echo('hello'));
      return time.now() - before;
    };
    // Connection events have their own pace, so up to one interval of the latency overlaps with waiting.
    expect((await roundTrip(40)) - (await roundTrip(0))).toBeGreaterThanOrEqual(80 - GOOD_RADIO.intervalMs);
  });

  it('is lost only after the supervision timeout without a packet', async () => {
    const deaf = testBench({ link: { radio: { lossRate: 1, supervisionTimeoutMs: 500 } } });
    const client = await deaf.connect();
    const before = deaf.time.now();
    await expect(deaf.time.run(() => deviceCommands(client).echo('hello?'))).rejects.toBeInstanceOf(LinkLostError);
    expect(deaf.time.now() - before).toBeGreaterThanOrEqual(500);
    expect(deaf.time.now() - before).toBeLessThan(600);
  });

  it('is not lost while both sides have nothing to send', async () => {
    const radio = { lossRate: 0.4, supervisionTimeoutMs: 500 };
    const { time, connect } = testBench({ link: { radio } });
    const client = await connect();
    for (let i = 0; i < 20; i += 1) {
      await time.advance(10_000);
      expect(await time.run(() => deviceCommands(client).echo('still here'))).toBe('still here');
    }
  });

  it('takes longer when packets are lost, but delivers them all', async () => {
    const took = async (lossRate: number) => {
      const bench = testBench({ link: { radio: { lossRate } } });
      expect(await bench.update(GOOD['1.1.0'])).toMatchObject({ outcome: 'confirmed', reconnects: 1 });
      return bench.time.now();
    };
    const [clean, lossy] = [await took(0), await took(0.3)];
    expect(lossy).toBeGreaterThan(1.5 * clean);
  });

  it('repeats the run with the same seed, and differs with another', async () => {
    const run = async (seed: number) => {
      const bench = testBench({ link: { random: seededRandom(seed), radio: { lossRate: 0.1 } } });
      const moments: number[] = [];
      await bench.update(GOOD['1.1.0'], { onProgress: () => moments.push(bench.time.now()) });
      return moments;
    };
    const first = await run(7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  it('simulates an hour of radio in a moment', async () => {
    const { time, connect } = testBench({ link: { radio: { intervalMs: 1_000 } } });
    const client = await connect();
    await time.run(async () => {
      while (time.now() < 3_600_000) await deviceCommands(client).echo('tick');
    });
    expect(time.now()).toBeGreaterThanOrEqual(3_600_000);
  });
});

describe('an upload over a clean link', () => {
  const radios: readonly (readonly [name: string, mtu: number, radio: Partial<RadioOptions>])[] = [
    ['the smallest MTU, without data length extension', 23, { dataLength: 27 }],
    ['an average phone', 247, {}],
    ['the largest MTU', 498, {}],
    ['the shortest interval', 247, { intervalMs: 7.5 }],
    ['a slow interval', 247, { intervalMs: 50, packetsPerInterval: 4 }],
  ];

  it.each(radios)('uses at least 95 percent of its capacity: %s', async (_name, mtu, radio) => {
    const bench = testBench({ link: { mtu, radio } });
    const image = firmware(GOOD['2.0.0']);
    const progress: { at: number; bytes: number }[] = [];
    await bench.update(image, {
      onProgress: ({ sentBytes }) => progress.push({ at: bench.time.now(), bytes: sentBytes }),
    });
    const [first, last] = [progress[0], progress.at(-1)];
    if (first === undefined || last === undefined) throw new Error('no progress');
    const perSecond = ((last.bytes - first.bytes) * 1_000) / (last.at - first.at);
    const share = perSecond / capacityBytesPerSecond(mtu, { ...GOOD_RADIO, ...radio });
    expect(share).toBeGreaterThanOrEqual(0.95);
    expect(share).toBeLessThanOrEqual(1);
  });

  it('waits for each answer if the device has only two buffers', async () => {
    const took = async (bufferCount: number) => {
      const bench = testBench({ device: { bufferCount } });
      await bench.update(GOOD['1.1.0']);
      return bench.time.now();
    };
    expect(await took(2)).toBeGreaterThan(1.3 * (await took(4)));
  });

  it('takes as long as the chips do when their timing is simulated', async () => {
    const { createProductFlash } = await import('@autowatering/firmware-sim/flash/layout.ts');
    const took = async (timed: boolean) => {
      const bench = testBench({ link: { mtu: 498 }, device: { flash: createProductFlash({ timed }) } });
      expect(await bench.update(GOOD['2.0.0'])).toMatchObject({ outcome: 'confirmed' });
      return bench.time.now();
    };
    // Erasing 176 sectors takes 8 s, swapping them takes almost a minute (facts sheet, G4).
    const [timed, untimed] = [await took(true), await took(false)];
    expect(timed - untimed).toBeGreaterThan(50_000);
    expect(timed - untimed).toBeLessThan(80_000);
  });
});

describe('SMP over UDP', () => {
  it('updates a device like BLE', async () => {
    const { device } = testBench(REAL);
    const server = await startUdpServer(device, { port: 0 });
    const outcome = await updateDevice({
      connect: () => connectUdp('127.0.0.1', server.port),
      image: firmware(GOOD['1.1.0']),
    });
    expect(outcome).toMatchObject({ outcome: 'confirmed', version: '1.1.0.7' });
    expect(device.runningVersion).toBe('1.1.0.7');
    await server.stop();
  });

  it('does not answer overlong packets, or while the device is down', async () => {
    const { device } = testBench(REAL);
    const server = await startUdpServer(device, { port: 0 });
    const client = new SmpClient(await connectUdp('127.0.0.1', server.port));
    const echo = (d: string) => client.request({ op: 'write', group: 0, command: 0, fields: { d }, timeoutMs: 60 });
    await expect(echo('x'.repeat(3_000))).rejects.toBeInstanceOf(SmpTimeoutError);
    expect((await echo('short')).get('r')).toBe('short');
    device.cutPower();
    await expect(echo('anybody?')).rejects.toBeInstanceOf(SmpTimeoutError);
    client.close();
    await server.stop();
  });
});

it('a BLE link without its own clock runs in real time', async () => {
  const { device } = testBench(REAL);
  const client = new SmpClient(await new BleLink(device, { mtu: 247 }).connect());
  expect(await deviceCommands(client).echo('now')).toBe('now');
});
