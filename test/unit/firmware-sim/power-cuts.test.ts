import {
  type BootReport,
  boot,
  confirmRunning,
  type FlashMap,
  PowerCutError,
  UPGRADE_MODES,
  type UpgradeMode,
} from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mark } from '../../support/marked.ts';
import { SMALL_KEY, signedImage, smallSlots } from '../../support/small-slots.ts';
import { stepsToTry } from '../../support/thorough.ts';

/*
 * The power fails before, or in the middle of, every single flash operation of an update. In every case the device must
 * boot a valid image: the new one if it was permanent, the old one if it was not confirmed.
 */

const OLD = signedImage([1, 0, 0], 9_176);
const NEW = signedImage([1, 1, 0], 11_176);
const LARGE = signedImage([1, 1, 0], 22_176);
const VERSION = { old: 0, new: 1 } as const;

type Kind = 'test' | 'permanent' | 'revert';
type How = 'before' | 'middle';

interface Case {
  readonly mode: UpgradeMode;
  readonly kind: Kind;
  readonly image?: Uint8Array;
  readonly scratchSectors?: number;
  readonly externalWriteBlock?: number;
}

const bootOnce = (flash: FlashMap, { mode }: Case): BootReport => boot(flash, { keys: [SMALL_KEY], mode });
const runs = (report: BootReport) => report.running?.version.minor;

/** A board just before the action that will be interrupted. */
async function prepared(one: Case): Promise<FlashMap> {
  const { kind, image = NEW, scratchSectors = 1, externalWriteBlock = 4 } = one;
  const flash = smallSlots({ scratchSectors, externalWriteBlock });
  flash.primary.write(0, OLD);
  flash.secondary.write(0, image);
  await mark(flash, kind === 'permanent');
  // The next boot reverts an unconfirmed trial.
  if (kind === 'revert') bootOnce(flash, one);
  return flash;
}

/** Boots until the power fails; returns whether it did. */
function bootUntilCut(flash: FlashMap, one: Case, operations: number, how: How): boolean {
  flash.power.failAfter(operations, how);
  try {
    bootOnce(flash, one);
    return false;
  } catch (error) {
    if (!(error instanceof PowerCutError)) throw error;
    return true;
  } finally {
    flash.power.restore();
  }
}

/** Whether an undisturbed update takes exactly this many flash operations. */
async function takes(operations: number, one: Case): Promise<boolean> {
  const isCutBy = async (count: number) => bootUntilCut(await prepared(one), one, count, 'before');
  return (await isCutBy(operations - 1)) && !(await isCutBy(operations));
}

/** What an undisturbed device does from now on: two boots without confirmation. */
function expectGoodEnd(flash: FlashMap, one: Case, cut: string, isThrough = false): void {
  const first = runs(bootOnce(flash, one));
  const isForGood = one.kind === 'permanent' || one.mode.name === 'overwrite';
  const end = isForGood ? VERSION.new : VERSION.old;
  // A swap is done once its very last byte is written: the next boot is already the one after the trial.
  expect(first, cut).toBe(one.kind === 'revert' || isThrough ? end : VERSION.new);
  expect(runs(bootOnce(flash, one)), `the boot after ${cut}`).toBe(end);
}

const { move, scratch, overwrite } = UPGRADE_MODES;
const SAFE: readonly (readonly [name: string, one: Case, operations: number])[] = [
  ['move, test', { mode: move, kind: 'test' }, 60],
  ['move, permanent', { mode: move, kind: 'permanent' }, 61],
  ['move, revert', { mode: move, kind: 'revert' }, 65],
  ['move beside a chip that writes bytes, test', { mode: move, kind: 'test', externalWriteBlock: 1 }, 60],
  ['move beside a chip that writes bytes, permanent', { mode: move, kind: 'permanent', externalWriteBlock: 1 }, 61],
  ['move beside a chip that writes bytes, revert', { mode: move, kind: 'revert', externalWriteBlock: 1 }, 65],
  ['scratch, test', { mode: scratch, kind: 'test' }, 64],
  ['scratch, permanent', { mode: scratch, kind: 'permanent' }, 66],
  ['scratch, revert', { mode: scratch, kind: 'revert' }, 65],
  ['scratch with an image that reaches the trailer', { mode: scratch, kind: 'test', image: LARGE }, 111],
  ['scratch of 32 sectors', { mode: scratch, kind: 'test', scratchSectors: 32 }, 118],
  [
    'scratch of 32 sectors, image reaching the trailer',
    { mode: scratch, kind: 'test', image: LARGE, scratchSectors: 32 },
    153,
  ],
  ['overwrite only', { mode: overwrite, kind: 'test' }, 18],
];

/** The operations that erase and write trailers before the first sector is copied. */
const RECORD_OPERATIONS = 11;

describe('a power cut', () => {
  it.each(SAFE)(
    'at any operation of %s leaves a device that boots and ends correctly',
    async (_name, one, operations) => {
      // As many as MCUboot itself needs (facts sheet, F8).
      expect(await takes(operations, one)).toBe(true);
      for (const how of ['before', 'middle'] as const) {
        const { from, every } = stepsToTry();
        for (let cut = from; cut < operations; cut += every) {
          const flash = await prepared(one);
          expect(bootUntilCut(flash, one, cut, how)).toBe(true);
          const isThrough = how === 'middle' && cut === operations - 1;
          expectGoodEnd(
            flash,
            one,
            `a cut ${how === 'before' ? 'before' : 'in the middle of'} operation ${cut}`,
            isThrough,
          );
        }
      }
    },
  );

  it.each(SAFE)('and another one during the recovery of %s do no harm', async (_name, one, operations) => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: operations - 1 }),
        fc.array(fc.nat({ max: 160 }), { minLength: 1, maxLength: 3 }),
        async (first, others) => {
          const flash = await prepared(one);
          bootUntilCut(flash, one, first, 'before');
          // A boot that completes counts as one of the two decisive ones.
          const cuts = others.map((next) => bootUntilCut(flash, one, next, 'before'));
          if (cuts.includes(false)) expect(runs(bootOnce(flash, one))).toBeDefined();
          else expectGoodEnd(flash, one, `cuts at ${[first, ...others].join(', ')}`);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each(SAFE)('twice while the record of %s is written does no harm', async (_name, one) => {
    const { from, every } = stepsToTry();
    for (let first = from; first < RECORD_OPERATIONS; first += every) {
      for (let second = 0; second < RECORD_OPERATIONS; second += 1) {
        const flash = await prepared(one);
        bootUntilCut(flash, one, first, 'before');
        if (bootUntilCut(flash, one, second, 'before')) expectGoodEnd(flash, one, `cuts at ${first} and ${second}`);
      }
    }
  });

  it.each([
    ['move', move, 60],
    ['scratch', scratch, 64],
  ] as const)('in a confirmed update by %s cannot restore the old image', async (_name, mode, operations) => {
    const one: Case = { mode, kind: 'test' };
    expect(await takes(operations, one)).toBe(true);
    for (let cut = 0; cut < operations; cut += 1) {
      const flash = await prepared(one);
      bootUntilCut(flash, one, cut, 'before');
      expect(runs(bootOnce(flash, one))).toBe(VERSION.new);
      confirmRunning(flash);
      expect([runs(bootOnce(flash, one)), runs(bootOnce(flash, one))]).toEqual([VERSION.new, VERSION.new]);
    }
  });
});

/*
 * A deliberate warning (facts sheet, F8; ADR 39): scratch on a chip that writes single bytes, next to internal flash
 * that writes words, as Zephyr drives this product's chips. MCUboot loses its place there.
 */
describe('swap using scratch over chips with different write blocks', () => {
  it.each([
    ['test', { mode: scratch, kind: 'test' }, 64, 5],
    ['permanent', { mode: scratch, kind: 'permanent' }, 66, 6],
    ['revert', { mode: scratch, kind: 'revert' }, 65, 5],
  ] as const)('no longer boots after some power cuts during a swap (%s)', async (_name, base, operations, known) => {
    const one: Case = { ...base, externalWriteBlock: 1 };
    let dead = 0;
    for (let cut = 0; cut < operations; cut += 1) {
      const flash = await prepared(one);
      bootUntilCut(flash, one, cut, 'before');
      if (bootOnce(flash, one).running === undefined) dead += 1;
    }
    // The same number as with MCUboot's own code.
    expect(dead).toBe(known);
  });
});
