import {
  decodeSmpHeader,
  GROUP,
  LinkLostError,
  NotAnImageError,
  seededRandom,
  type Transport,
  type UpdatePhase,
  updateDevice,
  VirtualTime,
} from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEV_KEY, firmware, GOOD } from '../../support/firmware.ts';
import { testBench } from '../../support/test-bench.ts';

const RESET = 5;
const keepUnconfirmed = { validate: async () => false };

describe('an update over the air', () => {
  it('goes through its phases, shows its progress, and ends confirmed', async () => {
    const bench = testBench();
    const phases: UpdatePhase[] = [];
    const sent: number[] = [];
    const outcome = await bench.update(GOOD['1.1.0'], {
      onPhase: (phase) => phases.push(phase),
      onProgress: ({ sentBytes }) => sent.push(sentBytes),
    });
    expect(outcome).toMatchObject({ outcome: 'confirmed', version: '1.1.0.7' });
    const named = ['connecting', 'inspecting', 'uploading', 'testing', 'resetting', 'validating', 'confirming'];
    expect(phases).toEqual(named);
    expect(sent).toEqual([...sent].sort((a, b) => a - b));
    expect(sent.at(-1)).toBe(98_967);
    await bench.reset();
    expect(bench.device.runningVersion).toBe('1.1.0.7');
  });

  it('continues to 2.0.0, which nearly fills the slot', async () => {
    const bench = testBench({ link: { mtu: 498 } });
    await bench.update(GOOD['1.1.0']);
    expect(await bench.update(GOOD['2.0.0'])).toMatchObject({ outcome: 'confirmed', version: '2.0.0' });
  });

  it('has nothing to do on a device that runs the image', async () => {
    const bench = testBench();
    const outcome = await bench.update(GOOD['1.0.0']);
    expect(outcome).toEqual({ outcome: 'already_running', version: '1.0.0.1', reconnects: 0 });
    expect(bench.device.boots).toBe(1);
  });

  it('does not upload what the device already holds', async () => {
    const bench = testBench();
    await bench.update(GOOD['1.1.0'], keepUnconfirmed);
    await bench.reset();
    expect(bench.device.runningVersion).toBe('1.0.0.1');
    const phases: UpdatePhase[] = [];
    await bench.update(GOOD['1.1.0'], { onPhase: (phase) => phases.push(phase) });
    expect(phases).not.toContain('uploading');
    expect(bench.device.runningVersion).toBe('1.1.0.7');
  });

  it('that was left on trial is only confirmed', async () => {
    const bench = testBench();
    await bench.update(GOOD['1.1.0'], keepUnconfirmed);
    const phases: UpdatePhase[] = [];
    const outcome = await bench.update(GOOD['1.1.0'], { onPhase: (phase) => phases.push(phase) });
    expect(outcome.outcome).toBe('confirmed');
    expect(phases).toEqual(['connecting', 'inspecting', 'validating', 'confirming']);
  });

  it('of a firmware that confirms itself is not rolled back', async () => {
    const bench = testBench({ device: { application: () => ({ confirms: 'itself' }) } });
    expect((await bench.update(GOOD['1.1.0'], keepUnconfirmed)).outcome).toBe('unconfirmed');
    await bench.reset();
    expect(bench.device.runningVersion).toBe('1.1.0.7');
  });

  it('ends byte-identical wherever and however often the link drops', async () => {
    const image = firmware(GOOD['1.1.0']);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 40_000 }), { minLength: 1, maxLength: 60 }),
        fc.constantFrom(65, 247, 498),
        fc.nat(),
        async (drops, mtu, seed) => {
          const left = [...drops];
          const random = seededRandom(seed);
          const bench = testBench({ link: { mtu, random, radio: { lossRate: 0.02 } } });
          const connect = async (): Promise<Transport> => {
            const next = left.shift();
            if (next !== undefined) bench.link.dropAfter(next);
            return bench.link.connect();
          };
          expect(await bench.update(image, { connect })).toMatchObject({ outcome: 'confirmed' });
          await bench.reset();
          expect(bench.device.runningVersion).toBe('1.1.0.7');
          expect(Buffer.compare(bench.device.slotBytes(0, image.byteLength), image)).toBe(0);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('survives a power cut at any point', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 600 }), { minLength: 1, maxLength: 4 }), async (cuts) => {
        const bench = testBench();
        const { device, time } = bench;
        const left = [...cuts];
        const next = () => {
          const flashOperations = left.shift();
          if (flashOperations !== undefined) device.cutPower({ flashOperations, how: 'middle' });
        };
        next();
        device.onReset(() => {
          if (device.state !== 'off') return;
          time.after(5_000, () => {
            device.restorePower();
            next();
          });
        });
        // A cut during the trial rolls it back. The phone comes again, as often as it takes.
        for (let visits = 0; device.runningVersion !== '1.1.0.7' && visits < 6; visits += 1) {
          await bench.update(GOOD['1.1.0']);
        }
        await bench.reset();
        expect(device.runningVersion).toBe('1.1.0.7');
      }),
      { numRuns: 20 },
    );
  });

  it.each([
    ['in the middle of the mark, which is repaired', 0, 2],
    ['just after the mark, which starts the trial', 1, 1],
  ])('survives a power cut %s', async (_when, flashOperations, uploads) => {
    const bench = testBench();
    const { device, time } = bench;
    device.onReset(() => {
      if (device.state === 'off') time.after(1_000, () => device.restorePower());
    });
    const phases: UpdatePhase[] = [];
    const outcome = await bench.update(GOOD['1.1.0'], {
      onPhase(phase) {
        if (phase === 'testing' && !phases.includes('testing')) device.cutPower({ flashOperations, how: 'middle' });
        phases.push(phase);
      },
    });
    expect(outcome).toMatchObject({ outcome: 'confirmed', version: '1.1.0.7' });
    expect(phases.filter((phase) => phase === 'uploading')).toHaveLength(uploads);
  });

  it('does not request a second reset after a lost answer, which would roll it back', async () => {
    const { device, link, time, update } = testBench();
    const accept = device.accept.bind(device);
    let awayUntil = 0;
    device.accept = (packet, requester) => {
      const header = decodeSmpHeader(packet);
      if (header?.group === GROUP.os && header.command === RESET) {
        link.dropAfter(0);
        awayUntil = time.now() + 2_000;
      }
      accept(packet, requester);
    };
    const connect = async () => {
      if (time.now() < awayUntil) throw new LinkLostError('behind the house');
      return link.connect();
    };
    expect(await update(GOOD['1.1.0'], { connect })).toMatchObject({ outcome: 'confirmed' });
    expect(device.bootLog.records.map(({ report }) => report.swapped)).toEqual(['none', 'test']);
  });

  it('stops when aborted', async () => {
    const controller = new AbortController();
    const bench = testBench();
    const running = bench.update(GOOD['1.1.0'], {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('the person changed their mind')),
    });
    await expect(running).rejects.toThrow('changed their mind');
    expect(bench.device.runningVersion).toBe('1.0.0.1');
  });

  it('gives up on a missing device after three minutes', async () => {
    const time = new VirtualTime();
    const nobody = async (): Promise<Transport> => {
      throw new LinkLostError('out of range');
    };
    const attempt = time.run(() => updateDevice({ connect: nobody, image: firmware(GOOD['1.1.0']), time }));
    await expect(attempt).rejects.toThrow('out of range');
    expect(time.now()).toBeGreaterThan(180_000);
  });

  it('waits a few seconds for a device that is watering', async () => {
    let isBusy = true;
    const bench = testBench({ device: { isBusy: () => isBusy } });
    const onPhase = (phase: UpdatePhase) => {
      if (phase !== 'resetting') return;
      bench.time.after(2_000, () => {
        isBusy = false;
      });
    };
    expect(await bench.update(GOOD['1.1.0'], { onPhase })).toMatchObject({ outcome: 'confirmed' });
  });

  it('reports a device that keeps watering, and updates it afterwards', async () => {
    let isBusy = true;
    const bench = testBench({ device: { isBusy: () => isBusy } });
    bench.time.after(20_000, () => {
      isBusy = false;
    });
    const refused = await bench.update(GOOD['1.1.0']);
    expect(refused).toMatchObject({ outcome: 'refused', phase: 'resetting', reason: 'SMP error 10 (busy)' });
    await bench.time.advance(20_000);
    expect(await bench.update(GOOD['1.1.0'])).toMatchObject({ outcome: 'confirmed' });
  });
});

describe('a bad firmware', () => {
  it.each([
    ['bit-flip-1.2.0.signed.bin', 'hash_mismatch'],
    ['wrong-key-1.2.0.signed.bin', 'unknown_key'],
    ['unsigned-1.2.0.bin', 'no_signature'],
  ])('%s is refused by the bootloader (%s), and the old version keeps running', async (name, fault) => {
    const bench = testBench();
    const outcome = await bench.update(name);
    expect(outcome).toMatchObject({ outcome: 'refused', phase: 'validating', runningVersion: '1.0.0.1' });
    expect(bench.device.lastBoot?.refused).toBe(fault);
    await bench.reset();
    expect(bench.device.runningVersion).toBe('1.0.0.1');
  });

  it.each(['truncated-1.2.0.signed.bin', 'not-mcuboot.bin'])('%s never leaves the phone', async (name) => {
    await expect(testBench().update(name)).rejects.toBeInstanceOf(NotAnImageError);
  });

  it('that boots but is never confirmed is rolled back at the next reset', async () => {
    const bench = testBench();
    const outcome = await bench.update(GOOD['1.1.0'], keepUnconfirmed);
    expect(outcome).toMatchObject({ outcome: 'unconfirmed', version: '1.1.0.7' });
    await bench.reset();
    expect(bench.device.runningVersion).toBe('1.0.0.1');
    expect(bench.device.lastBoot?.swapped).toBe('revert');
  });

  it('cannot overwrite the fallback during a trial: the device refuses', async () => {
    const bench = testBench();
    await bench.update(GOOD['1.1.0'], keepUnconfirmed);
    const outcome = await bench.update(GOOD['2.0.0']);
    expect(outcome).toMatchObject({ outcome: 'refused', phase: 'uploading', runningVersion: '1.1.0.7' });
    expect(outcome.outcome === 'refused' && outcome.reason).toMatch(/noFreeSlot/);
  });

  it('that is older is refused if the bootloader prevents downgrades', async () => {
    const bench = testBench({ device: { firmware: firmware(GOOD['2.0.0']), preventDowngrade: 'version' } });
    expect(await bench.update(GOOD['1.1.0'])).toMatchObject({ outcome: 'refused', runningVersion: '2.0.0' });
    expect(bench.device.lastBoot?.refused).toBe('downgrade');
  });

  it('in the primary slot never runs: the device stays in its bootloader', () => {
    const { device } = testBench({ device: { firmware: firmware('bit-flip-1.2.0.signed.bin'), keys: [DEV_KEY] } });
    expect([device.state, device.isRunning, device.runningVersion]).toEqual(['stuck', false, undefined]);
    device.accept(Uint8Array.of(0), {
      respond: () => {
        throw new Error('nothing runs that could answer');
      },
    });
  });
});

describe('a device that is reset again before it has started', () => {
  it('starts once', async () => {
    const { device, time } = testBench();
    device.reset();
    await time.advance(20);
    device.reset('software');
    await time.advance(1_000);
    expect(device.bootLog.records.map(({ reason }) => reason)).toEqual(['power_on', 'software']);
  });
});

describe('a firmware whose self-test', () => {
  it.each([
    ['fails', 'software', 0],
    ['hangs', 'watchdog', 8_000],
  ] as const)('%s is rolled back by its own reset (%s)', async (selfTest, reason, atLeastMs) => {
    const bench = testBench({
      device: { application: ({ version }) => (version.minor === 1 ? { selfTest, selfTestMs: 1_500 } : {}) },
    });
    const outcome = await bench.update(GOOD['1.1.0']);
    expect(outcome).toMatchObject({ outcome: 'rolled_back', runningVersion: '1.0.0.1' });
    const { records } = bench.device.bootLog;
    expect(records.map(({ reason: why, report }) => [why, report.swapped])).toEqual([
      ['power_on', 'none'],
      ['software', 'test'],
      [reason, 'revert'],
    ]);
    const [, trial, back] = records;
    expect((back?.atMs ?? 0) - (trial?.atMs ?? 0)).toBeGreaterThan(atLeastMs);
  });

  it("has passed and that hangs during an upload continues after the watchdog's reset", async () => {
    const bench = testBench();
    bench.time.after(700, () => bench.device.hang());
    expect(await bench.update(GOOD['1.1.0'])).toMatchObject({ outcome: 'confirmed' });
    expect(bench.device.bootLog.records.map(({ reason }) => reason)).toEqual(['power_on', 'watchdog', 'software']);
    bench.device.cutPower();
    bench.device.hang();
    bench.device.reset();
    await bench.time.advance(60_000);
    expect(bench.device.state).toBe('off');
    bench.device.restorePower();
    await bench.time.advance(1_000);
    bench.device.restorePower();
    expect([bench.device.state, bench.device.runningVersion]).toEqual(['running', '1.1.0.7']);
  });

  it('takes longer is reachable later', async () => {
    const bench = testBench({ device: { application: () => ({ selfTestMs: 3_000 }) } });
    expect(bench.device.state).toBe('starting');
    await bench.time.advance(3_000);
    expect(bench.device.state).toBe('running');
  });

  it('always hangs is reset by the watchdog repeatedly, and the log keeps the last 32 boots', async () => {
    const bench = testBench({ device: { application: () => ({ selfTest: 'hangs' }) } });
    await bench.time.advance(8_050 * 40 + 1);
    expect(bench.device.boots).toBe(41);
    expect(bench.device.bootLog.records).toHaveLength(32);
    expect(bench.device.bootLog.records.every(({ reason }) => reason === 'watchdog')).toBe(true);
  });
});
