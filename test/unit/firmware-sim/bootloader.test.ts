import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BootReport, boot } from '../../../firmware-sim/bootloader/bootloader.ts';
import { decideSwapType } from '../../../firmware-sim/bootloader/swap-type.ts';
import {
  type FlagState,
  type MagicState,
  readTrailer,
  type Trailer,
} from '../../../firmware-sim/bootloader/trailer.ts';
import type { Slots } from '../../../firmware-sim/flash/layout.ts';
import { type FlashOperation, PAGE_BYTES } from '../../../firmware-sim/flash/nor-flash.ts';
import { deviceCommands } from '../../../firmware-sim/phone/device-commands.ts';
import { confirmRunning, imageGroup } from '../../../firmware-sim/smp/image-group.ts';
import { SmpServer } from '../../../firmware-sim/smp/server.ts';
import { imageHash } from '../../../release-format/mcuboot-image.ts';
import { directClient } from '../../support/direct-client.ts';
import { SMALL_KEY, SMALL_SECTORS, signedImage, smallSlots } from '../../support/small-slots.ts';

const OLD = signedImage([1, 0, 0], 9_176);
const NEW = signedImage([1, 1, 0], 11_176);
const options = { keys: [SMALL_KEY] };

function programmed(slots: Slots = smallSlots(), secondary: Uint8Array = NEW): Slots {
  slots.primary.write(0, OLD);
  slots.secondary.write(0, secondary);
  return slots;
}

/** Marks the image in slot 1 as mcumgr does. */
async function mark(slots: Slots, permanent = false): Promise<void> {
  const server = new SmpServer({ groups: [imageGroup(slots)], bufferBytes: 2475 });
  const client = directClient(server);
  const [, other] = await deviceCommands(client).images();
  if (other === undefined) throw new Error('slot 1 holds no image');
  const hash = Buffer.from(other.hash, 'hex');
  if (permanent) await client.request({ op: 'write', group: 1, command: 0, fields: { hash, confirm: true } });
  else await deviceCommands(client).test(other.hash);
}

const runs = (report: BootReport) => report.running?.header.version.minor;

describe('the swap type', () => {
  it('is decided by the table for every combination of both trailers', () => {
    const magics: MagicState[] = ['good', 'unset', 'bad'];
    const flags: FlagState[] = ['set', 'unset', 'bad'];
    const trailers: Trailer[] = magics.flatMap((magic) =>
      flags.flatMap((imageOk) => flags.map((copyDone) => ({ magic, imageOk, copyDone }))),
    );
    const counts = { none: 0, test: 0, permanent: 0, revert: 0 };
    for (const primary of trailers) {
      for (const secondary of trailers) {
        const type = decideSwapType(primary, secondary);
        counts[type] += 1;
        if (secondary.magic === 'good' && secondary.imageOk !== 'bad') {
          expect(type).toBe(secondary.imageOk === 'set' ? 'permanent' : 'test');
        } else {
          const reverts = primary.magic === 'good' && primary.imageOk === 'unset' && primary.copyDone === 'set';
          expect(type).toBe(reverts ? 'revert' : 'none');
        }
      }
    }
    expect(counts).toEqual({ none: 546, test: 81, permanent: 81, revert: 21 });
  });
});

/** A line of the reference trace: what was done, where, and with which bytes. */
function traceLine(operation: FlashOperation): string {
  if (operation.kind === 'erase') return `E ${operation.flash} sector ${operation.offset / PAGE_BYTES}`;
  if (operation.bytes.byteLength >= 1024)
    return `W ${operation.flash} sector ${Math.floor(operation.offset / PAGE_BYTES)} copy`;
  const end = SMALL_SECTORS * PAGE_BYTES - operation.offset;
  return `W ${operation.flash} end-${end}: ${Buffer.from(operation.bytes).toString('hex')}`;
}

/** The same lines from the file that was recorded with MCUboot itself. */
function referenceTrace(): string[][] {
  const blocks: string[][] = [[]];
  for (const line of readFileSync('test/fixtures/smp/mcuboot-move-trace.txt', 'utf8').split('\n')) {
    const step = /^\s*([\d-]+) ([EW]) (PRI|SEC) (.*)$/.exec(line);
    const block = blocks.at(-1) ?? [];
    if (step === null) {
      if (block.length > 0) blocks.push([]);
      continue;
    }
    const [, numbers = '', kind, area, rest = ''] = step;
    const sector = /sector (\d+)/.exec(rest)?.[1];
    const times = /^(\d+)-(\d+)$/.exec(numbers);
    const count = times === null ? 1 : Number(times[2]) - Number(times[1]) + 1;
    const text =
      kind === 'E'
        ? `E ${area} sector ${sector}`
        : sector === undefined
          ? `W ${area} ${rest}`
          : `W ${area} sector ${sector} copy`;
    for (let i = 0; i < count; i += 1) block.push(text);
  }
  return blocks.filter((block) => block.length > 0);
}

describe('swap using move', () => {
  it('does to the flash exactly what MCUboot does: mark, trial boot, revert', async () => {
    const operations: string[] = [];
    const slots = smallSlots({ onOperation: (operation) => operations.push(traceLine(operation)) });
    programmed(slots);
    const taken = () => operations.splice(0);
    taken();
    const [marking, trial, revert] = referenceTrace();
    await mark(slots);
    expect(taken()).toEqual(marking);
    boot(slots, options);
    expect(taken()).toEqual(trial);
    boot(slots, options);
    expect(taken()).toEqual(revert);
  });

  it('boots the new image on trial, and goes back when nobody confirms', async () => {
    const slots = programmed();
    await mark(slots);
    const trial = boot(slots, options);
    expect([trial.swapped, runs(trial)]).toEqual(['test', 1]);
    const reverted = boot(slots, options);
    expect([reverted.swapped, runs(reverted)]).toEqual(['revert', 0]);
    expect(runs(boot(slots, options))).toBe(0);
    expect(slots.secondary.read(0, NEW.length)).toEqual(Uint8Array.from(NEW));
  });

  it('keeps the new image once it is confirmed', async () => {
    const slots = programmed();
    await mark(slots);
    boot(slots, options);
    confirmRunning(slots);
    for (let i = 0; i < 3; i += 1)
      expect([boot(slots, options).swapped, runs(boot(slots, options))]).toEqual(['none', 1]);
    expect(slots.secondary.read(0, OLD.length)).toEqual(Uint8Array.from(OLD));
  });

  it('takes a permanent image for good', async () => {
    const slots = programmed();
    await mark(slots, true);
    expect([boot(slots, options).swapped, runs(boot(slots, options))]).toEqual(['permanent', 1]);
  });

  it.each([1, 4])('survives a power cut before each flash operation (external write block %d)', async (block) => {
    for (const permanent of [false, true]) {
      const cuts = await cutEverywhere(
        block,
        (slots) => mark(slots, permanent),
        (slots, cut) => {
          expect(runs(boot(slots, options)), `cut before operation ${cut}`).toBe(1);
          // Nobody has confirmed: a trial goes back, a permanent image stays.
          expect(runs(boot(slots, options)), `the boot after a cut before ${cut}`).toBe(permanent ? 1 : 0);
        },
      );
      expect(cuts).toBe(permanent ? 61 : 60);
    }
  });

  it('survives a power cut anywhere in a revert', async () => {
    const onTrial = async (slots: Slots) => {
      await mark(slots);
      boot(slots, options);
    };
    const cuts = await cutEverywhere(4, onTrial, (slots, cut) => {
      expect(runs(boot(slots, options)), `cut before operation ${cut}`).toBe(0);
      expect(runs(boot(slots, options))).toBe(0);
    });
    expect(cuts).toBe(65);
  });
});

class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/**
 * Boots again and again, each time with the power cut one flash operation later, until a boot gets through.
 *
 * @returns how many operations there were to cut: as many as MCUboot itself needs (facts sheet, F8)
 */
async function cutEverywhere(
  externalWriteBlock: number,
  prepare: (slots: Slots) => Promise<void>,
  recover: (slots: Slots, cut: number) => void,
): Promise<number> {
  for (let cut = 0; ; cut += 1) {
    let left = Number.POSITIVE_INFINITY;
    const onOperation = () => {
      if (left <= 0) throw new PowerCut();
      left -= 1;
    };
    const slots = programmed(smallSlots({ externalWriteBlock, onOperation }));
    await prepare(slots);
    left = cut;
    try {
      boot(slots, options);
      return cut;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
    left = Number.POSITIVE_INFINITY;
    recover(slots, cut);
  }
}

describe('a bad update', () => {
  it('with a corrupt image is erased whole, and the old one keeps running', async () => {
    const bad = Buffer.from(NEW);
    bad.writeUInt8(bad.readUInt8(5_000) ^ 1, 5_000);
    const slots = programmed(smallSlots(), bad);
    await mark(slots);
    const report = boot(slots, options);
    expect([report.swapped, report.refused, runs(report)]).toEqual(['none', 'hash_mismatch', 0]);
    expect(slots.secondary.isErased(0, slots.secondary.sizeBytes)).toBe(true);
    expect(boot(slots, options).refused).toBeUndefined();
  });

  it('whose image is gone loses only its mark', async () => {
    const slots = programmed();
    await mark(slots);
    slots.secondary.eraseSector(0);
    const report = boot(slots, options);
    expect([report.refused, runs(report)]).toEqual(['no_image', 0]);
    expect(readTrailer(slots.secondary).magic).toBe('unset');
    expect(slots.secondary.isErased(PAGE_BYTES, 100)).toBe(false);
  });

  it('that is older is refused only where downgrades are prevented', async () => {
    const older = signedImage([0, 9, 0], 9_000);
    const slots = programmed(smallSlots(), older);
    await mark(slots);
    const report = boot(slots, { ...options, preventDowngrade: true });
    expect([report.refused, runs(report)]).toEqual(['downgrade', 0]);
    const free = programmed(smallSlots(), older);
    await mark(free);
    expect(boot(free, options).running?.header.version).toMatchObject({ major: 0, minor: 9 });
  });

  it('may always be reverted, even where downgrades are prevented', async () => {
    const slots = programmed();
    await mark(slots);
    boot(slots, { ...options, preventDowngrade: true });
    expect(runs(boot(slots, { ...options, preventDowngrade: true }))).toBe(0);
  });

  it('on trial keeps booting when its fallback was destroyed', async () => {
    const slots = programmed();
    await mark(slots);
    boot(slots, options);
    slots.secondary.eraseSector(1);
    const report = boot(slots, options);
    expect([report.swapped, runs(report)]).toEqual(['none', 1]);
    expect(runs(boot(slots, options))).toBe(1);
  });

  it('leaves the device in the bootloader when nothing valid is left, and never runs what is not', () => {
    const slots = programmed();
    slots.primary.eraseSector(1);
    expect(boot(slots, options).running).toBeUndefined();
  });
});

describe('the images of the tests', () => {
  it('carry one hash each', () => {
    const report = boot(programmed(), options);
    expect(report.running === undefined ? undefined : imageHash(report.running)).toHaveLength(32);
  });
});
