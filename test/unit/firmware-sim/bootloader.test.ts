import {
  type BootloaderOptions,
  type BootReport,
  boot,
  confirmRunning,
  createSecurityCounter,
  decideSwapType,
  type FlagState,
  type FlashMap,
  type MagicState,
  PAGE_BYTES,
  readTrailer,
  type Trailer,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { mark } from '../../support/marked.ts';
import { SMALL_KEY, signedImage, smallSlots } from '../../support/small-slots.ts';

const OLD = signedImage([1, 0, 0], 9_176);
const NEW = signedImage([1, 1, 0], 11_176);
const options: BootloaderOptions = { keys: [SMALL_KEY] };

function programmed(slots: FlashMap = smallSlots(), secondary: Uint8Array = NEW): FlashMap {
  slots.primary.write(0, OLD);
  slots.secondary.write(0, secondary);
  return slots;
}

const runs = (report: BootReport) => report.running?.version.minor;

describe('the swap type', () => {
  it('follows the table for every combination of both trailers', () => {
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

describe('swap using move', () => {
  it('boots the new image on trial and reverts it unless it is confirmed', async () => {
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

  it('keeps a permanent image without a trial', async () => {
    const slots = programmed();
    await mark(slots, true);
    expect([boot(slots, options).swapped, runs(boot(slots, options))]).toEqual(['permanent', 1]);
  });
});

describe('a bad update', () => {
  it('with a corrupt image is erased completely, and the old image keeps running', async () => {
    const bad = Buffer.from(NEW);
    bad.writeUInt8(bad.readUInt8(5_000) ^ 1, 5_000);
    const slots = programmed(smallSlots(), bad);
    await mark(slots);
    const report = boot(slots, options);
    expect([report.swapped, report.refused, runs(report)]).toEqual(['none', 'hash_mismatch', 0]);
    expect(slots.secondary.isErased(0, slots.secondary.sizeBytes)).toBe(true);
    expect(boot(slots, options).refused).toBeUndefined();
  });

  it('without its image only loses its mark', async () => {
    const slots = programmed();
    await mark(slots);
    slots.secondary.eraseSector(0);
    const report = boot(slots, options);
    expect([report.refused, runs(report)]).toEqual(['no_image', 0]);
    expect(readTrailer(slots.secondary).magic).toBe('unset');
    expect(slots.secondary.isErased(PAGE_BYTES, 100)).toBe(false);
  });

  it('that is older is refused only with downgrade prevention', async () => {
    const older = signedImage([0, 9, 0], 9_000);
    const slots = programmed(smallSlots(), older);
    await mark(slots);
    const report = boot(slots, { ...options, preventDowngrade: 'version' });
    expect([report.refused, runs(report)]).toEqual(['downgrade', 0]);
    const free = programmed(smallSlots(), older);
    await mark(free);
    expect(boot(free, options).running?.version).toMatchObject({ major: 0, minor: 9 });
  });

  it('can be reverted even with downgrade prevention', async () => {
    const slots = programmed();
    await mark(slots);
    boot(slots, { ...options, preventDowngrade: 'version' });
    expect(runs(boot(slots, { ...options, preventDowngrade: 'version' }))).toBe(0);
  });

  it('on trial keeps booting after its fallback was destroyed', async () => {
    const slots = programmed();
    await mark(slots);
    boot(slots, options);
    slots.secondary.eraseSector(1);
    const report = boot(slots, options);
    expect([report.swapped, runs(report)]).toEqual(['none', 1]);
    expect(runs(boot(slots, options))).toBe(1);
  });

  it('leaves the device in the bootloader when no valid image is left, and an invalid one never runs', () => {
    const slots = programmed();
    slots.primary.eraseSector(1);
    expect(boot(slots, options).running).toBeUndefined();
  });
});

describe('an image with protected TLVs', () => {
  const counter = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return { type: 0x50, value: bytes };
  };
  const needs = (image: number, [major = 0, minor = 0]: readonly number[]) => ({
    type: 0x40,
    value: Buffer.from([image, 0, 0, 0, major, minor, 0, 0, 0, 0, 0, 0]),
  });
  const withImages = async (primary: Uint8Array, secondary: Uint8Array) => {
    const flash = smallSlots();
    flash.primary.write(0, primary);
    flash.secondary.write(0, secondary);
    await mark(flash);
    return flash;
  };
  const image = (minor: number, ...guarded: { type: number; value: Uint8Array }[]) =>
    signedImage([1, minor, 0], 9_000, { guarded });
  it('runs regardless of them if the bootloader ignores them', async () => {
    const flash = await withImages(image(0, counter(7)), image(1, counter(1), needs(3, [9])));
    expect(runs(boot(flash, options))).toBe(1);
  });

  it("is refused if its security counter is lower than the running image's", async () => {
    const flash = await withImages(image(0, counter(7)), image(1, counter(6)));
    expect(boot(flash, { ...options, preventDowngrade: 'security_counter' }).refused).toBe('downgrade');
    const equal = await withImages(image(0, counter(7)), image(1, counter(7)));
    expect(runs(boot(equal, { ...options, preventDowngrade: 'security_counter' }))).toBe(1);
  });

  it('raises the hardware counter only once it is confirmed, and no image below it runs again', async () => {
    const securityCounter = createSecurityCounter();
    const flash = await withImages(image(0, counter(1)), image(1, counter(2)));
    expect(runs(boot(flash, { ...options, securityCounter }))).toBe(1);
    expect(securityCounter.value()).toBe(0);
    confirmRunning(flash);
    boot(flash, { ...options, securityCounter });
    expect(securityCounter.value()).toBe(2);
    await mark(flash);
    const back = boot(flash, { ...options, securityCounter });
    expect([back.refused, runs(back)]).toEqual(['security_counter', 1]);
    const bare = await withImages(image(0, counter(3)), image(1));
    expect(boot(bare, { ...options, securityCounter }).refused).toBe('security_counter');
  });

  it.each([
    ['on a missing image', [1, [1, 0]], 'dependency'],
    ['on a later version of itself', [0, [1, 2]], 'dependency'],
    ['on its own version', [0, [1, 1]], undefined],
  ] as const)('that depends %s', async (_what, [number, version], refused) => {
    const flash = await withImages(image(0), image(1, needs(number, version)));
    const report = boot(flash, { ...options, checksDependencies: true });
    expect([report.refused, runs(report)]).toEqual([refused, refused === undefined ? 1 : 0]);
    // A missing image may still arrive: this one keeps its mark.
    expect(readTrailer(flash.secondary).magic).toBe(refused === undefined ? 'unset' : 'good');
  });

  it('with a TLV of the wrong length is refused', async () => {
    const flash = await withImages(image(0), image(1, { type: 0x40, value: Buffer.alloc(5) }));
    expect(boot(flash, { ...options, checksDependencies: true }).refused).toBe('dependency');
  });

  it('is refused if one bit of them differs from what was signed', async () => {
    const changed = image(1, counter(1));
    const at = changed.length - (4 + 36 + 36 + 4 + 71) - 4;
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(boot(await withImages(image(0), changed), options).refused).toBe('hash_mismatch');
  });
});

describe('an image that this bootloader does not support', () => {
  it.each([
    ['encrypted', 0x4, 'unsupported_flags', true],
    ['compressed', 0x400, 'unsupported_flags', true],
    ['not bootable', 0x10, 'not_bootable', false],
  ] as const)('%s is not installed', async (_what, flags, refused, isErased) => {
    const flash = smallSlots();
    flash.primary.write(0, OLD);
    flash.secondary.write(0, signedImage([1, 1, 0], 9_000, { flags }));
    await mark(flash);
    const report = boot(flash, options);
    expect([report.refused, runs(report)]).toEqual([refused, 0]);
    expect(readTrailer(flash.secondary).magic).toBe('unset');
    expect(flash.secondary.isErased(0, 4_096)).toBe(isErased);
  });
});
