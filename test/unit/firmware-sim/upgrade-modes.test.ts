import { boot, createProductFlash, UPGRADE_MODES } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { mark } from '../../support/marked.ts';
import { referenceTrace, traceLine } from '../../support/mcuboot-trace.ts';
import { SMALL_KEY, SMALL_SECTORS, signedImage, smallSlots } from '../../support/small-slots.ts';

/*
 * The reference traces were recorded with MCUboot's own C code, built for the host (facts sheet, "Runs"). Each flash
 * operation of the simulated bootloader is compared with them.
 */

const OLD = signedImage([1, 0, 0], 9_176);
const NEW = signedImage([1, 1, 0], 11_176);
/** Reaches into the sector that holds the trailer. */
const LARGE = signedImage([1, 1, 0], 22_176);

interface Story {
  readonly file: string;
  readonly title: string;
  readonly mode: keyof typeof UPGRADE_MODES;
  readonly permanent?: boolean;
  readonly image?: Uint8Array;
  readonly scratchSectors?: number;
}

const SCRATCH = { file: 'mcuboot-scratch-trace.txt', mode: 'scratch' } as const;
const STORIES: readonly Story[] = [
  { file: 'mcuboot-move-trace.txt', mode: 'move', title: 'move : mark test' },
  { ...SCRATCH, title: 'scratch : mark test' },
  { ...SCRATCH, title: 'scratch : mark permanent', permanent: true },
  { ...SCRATCH, title: 'scratch : image reaches', image: LARGE },
  { ...SCRATCH, title: 'scratch of 2 sectors', scratchSectors: 2 },
  { file: 'mcuboot-overwrite-trace.txt', mode: 'overwrite', title: 'overfast' },
];

describe("the bootloader's flash operations match MCUboot's", () => {
  it.each(STORIES)('$title', async ({ file, title, mode, permanent, image = NEW, scratchSectors = 1 }) => {
    const operations: string[] = [];
    const sectors = { PRI: SMALL_SECTORS, SEC: SMALL_SECTORS, SCR: scratchSectors };
    const flash = smallSlots({ scratchSectors, onOperation: (one) => operations.push(traceLine(one, sectors)) });
    flash.primary.write(0, OLD);
    flash.secondary.write(0, image);
    operations.length = 0;
    const [marking, ...boots] = referenceTrace(file, title);
    await mark(flash, permanent);
    expect(operations.splice(0)).toEqual(marking);
    for (const expected of boots) {
      boot(flash, { keys: [SMALL_KEY], mode: UPGRADE_MODES[mode] });
      expect(operations.splice(0)).toEqual(expected);
    }
    expect(boots.length).toBeGreaterThan(0);
  });
});

describe('the largest image', () => {
  it.each([
    ['move', 737_280],
    ['scratch', 743_240],
    ['overwrite', 745_432],
  ] as const)("with %s has %d bytes in the product's slots", (name, bytes) => {
    expect(UPGRADE_MODES[name].largestImage(createProductFlash().primary)).toBe(bytes);
  });

  it('is accepted, and one byte more is refused', async () => {
    const most = UPGRADE_MODES.move.largestImage(smallSlots().primary);
    for (const [bytes, refused] of [
      [most, undefined],
      [most + 1, 'too_large'],
    ] as const) {
      const flash = smallSlots();
      flash.primary.write(0, OLD);
      flash.secondary.write(0, signedImage([1, 1, 0], bytes));
      await mark(flash);
      expect(boot(flash, { keys: [SMALL_KEY] }).refused).toBe(refused);
    }
  });
});
