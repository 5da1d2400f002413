import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FlashArea } from '../../../firmware-sim/flash/flash-area.ts';
import { createProductFlash } from '../../../firmware-sim/flash/layout.ts';
import { FlashError, NorFlash, PAGE_BYTES } from '../../../firmware-sim/flash/nor-flash.ts';

const chip = (writeBlockBytes = 4) => new NorFlash({ name: 'chip', sizeBytes: 8 * PAGE_BYTES, writeBlockBytes });

describe('NOR flash', () => {
  it('is all ones when it is new, and again after an erase', () => {
    const flash = chip();
    expect(flash.read(100, 8).every((byte) => byte === 0xff)).toBe(true);
    flash.write(100, Uint8Array.of(1, 2, 3, 4));
    flash.erasePage(0);
    expect(flash.read(100, 4)).toEqual(Uint8Array.of(255, 255, 255, 255));
    expect(flash.wearOf(100)).toBe(1);
    expect(flash.wearOf(PAGE_BYTES)).toBe(0);
  });

  it('only clears bits: two writes leave what both have set', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        (a, b) => {
          const flash = chip();
          flash.write(0, a);
          flash.write(0, b);
          expect(flash.read(0, 8)).toEqual(a.map((byte, i) => byte & (b[i] ?? 0)));
        },
      ),
    );
  });

  it('writes and reads over the ends of pages', () => {
    const flash = chip();
    const bytes = Uint8Array.from({ length: PAGE_BYTES + 8 }, (_, i) => i % 251);
    flash.write(PAGE_BYTES - 4, bytes);
    expect(flash.read(PAGE_BYTES - 4, bytes.byteLength)).toEqual(bytes);
  });

  it('refuses what the chip does not allow', () => {
    const flash = chip();
    expect(() => flash.write(2, Uint8Array.of(1, 2, 3, 4))).toThrow(FlashError);
    expect(() => flash.write(0, Uint8Array.of(1, 2, 3))).toThrow(/not aligned/);
    expect(() => flash.erasePage(12)).toThrow(/start of a page/);
    expect(() => flash.read(8 * PAGE_BYTES - 1, 2)).toThrow(/outside/);
    expect(() => new NorFlash({ name: 'odd', sizeBytes: 1000, writeBlockBytes: 4 })).toThrow(FlashError);
  });
});

describe('a flash area', () => {
  it('keeps to its own part of the chip, and fills writes up to the write block', () => {
    const flash = chip();
    const area = new FlashArea('slot', flash, PAGE_BYTES, 2 * PAGE_BYTES);
    area.write(0, Uint8Array.of(7));
    expect(flash.read(PAGE_BYTES, 4)).toEqual(Uint8Array.of(7, 255, 255, 255));
    area.eraseAll();
    expect(area.isErased(0, area.sizeBytes)).toBe(true);
    expect(() => area.read(2 * PAGE_BYTES, 1)).toThrow(/outside/);
    expect(() => area.eraseSector(2)).toThrow(/outside/);
    expect(() => new FlashArea('bad', flash, 12, PAGE_BYTES)).toThrow(FlashError);
  });

  it('of the product has two slots of 728 KiB, on chips with different write blocks', () => {
    const { primary, secondary } = createProductFlash();
    expect([primary.sizeBytes, secondary.sizeBytes]).toEqual([745_472, 745_472]);
    expect([primary.sectors, primary.writeBlockBytes, secondary.writeBlockBytes]).toEqual([182, 4, 1]);
  });
});
