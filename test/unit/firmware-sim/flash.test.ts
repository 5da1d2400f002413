import {
  createProductFlash,
  FlashArea,
  FlashError,
  NorFlash,
  PAGE_BYTES,
  PagePool,
  PowerCutError,
  PowerSupply,
} from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const chip = (writeBlockBytes = 4) => new NorFlash({ name: 'chip', sizeBytes: 8 * PAGE_BYTES, writeBlockBytes });

describe('NOR flash', () => {
  it('is all ones when new and after an erase', () => {
    const flash = chip();
    expect(flash.read(100, 8).every((byte) => byte === 0xff)).toBe(true);
    flash.write(100, Uint8Array.of(1, 2, 3, 4));
    flash.erasePage(0);
    expect(flash.read(100, 4)).toEqual(Uint8Array.of(255, 255, 255, 255));
    expect(flash.wearOf(100)).toBe(1);
    expect(flash.wearOf(PAGE_BYTES)).toBe(0);
  });

  it('only clears bits: two writes leave the bits set in both', () => {
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

  it('writes and reads across page boundaries', () => {
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
  it('stays in its part of the chip and pads writes to the write block', () => {
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

describe('a chip with timing', () => {
  const timing = { erasePageMs: 85, writeUnitBytes: 256, writeUnitMs: 0.4 };
  const slow = () => new NorFlash({ name: 'slow', sizeBytes: 4 * PAGE_BYTES, writeBlockBytes: 1, timing });

  it('adds time for each erased page and each unit that a write touches', () => {
    const flash = slow();
    flash.erasePage(0);
    expect(flash.takeBusyMs()).toBe(85);
    flash.write(0, new Uint8Array(256));
    expect(flash.takeBusyMs()).toBe(0.4);
    flash.write(255, new Uint8Array(2));
    expect(flash.takeBusyMs()).toBe(0.8);
    expect(flash.takeBusyMs()).toBe(0);
  });

  it('takes no time by default', () => {
    const flash = chip();
    flash.erasePage(0);
    flash.write(0, new Uint8Array(4));
    expect(flash.takeBusyMs()).toBe(0);
  });
});

describe('a chip that loses power', () => {
  const powered = () => {
    const power = new PowerSupply();
    const flash = new NorFlash({ name: 'chip', sizeBytes: 2 * PAGE_BYTES, writeBlockBytes: 4, power });
    flash.write(0, new Uint8Array(PAGE_BYTES));
    return { power, flash };
  };
  const zeros = (flash: NorFlash) => flash.read(0, PAGE_BYTES).filter((byte) => byte === 0).length;

  it('skips the operation it fails before, and all others until power returns', () => {
    const { power, flash } = powered();
    power.failAfter(0);
    expect(() => flash.erasePage(0)).toThrow(PowerCutError);
    expect(() => flash.erasePage(0)).toThrow(PowerCutError);
    expect([power.isOff, zeros(flash)]).toEqual([true, PAGE_BYTES]);
    power.restore();
    flash.erasePage(0);
    expect(zeros(flash)).toBe(0);
  });

  it('does half of the operation it fails in', () => {
    const { power, flash } = powered();
    power.failAfter(0, 'middle');
    expect(() => flash.erasePage(0)).toThrow(PowerCutError);
    expect(zeros(flash)).toBe(PAGE_BYTES / 2);
    power.restore();
    flash.erasePage(0);
    power.failAfter(0, 'middle');
    expect(() => flash.write(0, new Uint8Array(100))).toThrow(PowerCutError);
    expect(zeros(flash)).toBe(50);
  });
});

describe('chips that share pages', () => {
  const pair = () => {
    const pool = new PagePool();
    const one = () => new NorFlash({ name: 'chip', sizeBytes: 4 * PAGE_BYTES, writeBlockBytes: 4, pool });
    return { pool, a: one(), b: one() };
  };
  const page = (value: number) => new Uint8Array(PAGE_BYTES).fill(value);

  it('store equal pages once, and get their own copy when one of them writes', () => {
    const { pool, a, b } = pair();
    for (const flash of [a, b]) flash.write(0, page(0xf0));
    expect(pool.size).toBe(1);
    a.write(0, Uint8Array.of(0, 0, 0, 0));
    expect([a.read(0, 5), b.read(0, 5)]).toEqual([
      Uint8Array.of(0, 0, 0, 0, 0xf0),
      Uint8Array.of(0xf0, 0xf0, 0xf0, 0xf0, 0xf0),
    ]);
    b.erasePage(0);
    expect([a.isErased(0, 4), b.isErased(0, 4)]).toEqual([false, true]);
  });

  it('share partly filled pages when they settle', () => {
    const { pool, a, b } = pair();
    for (const flash of [a, b]) flash.write(PAGE_BYTES, Uint8Array.of(1, 2, 3, 4));
    expect(pool.size).toBe(0);
    for (const flash of [a, b]) flash.settle();
    expect(pool.size).toBe(1);
    expect(b.read(PAGE_BYTES, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  it('always read like chips that share nothing', () => {
    const operation = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        at: fc.nat({ max: 3_000 }),
        bytes: fc.uint8Array({ minLength: 1, maxLength: 1_300 }),
      }),
      fc.record({ kind: fc.constant('erase' as const), page: fc.nat({ max: 3 }) }),
      fc.record({ kind: fc.constant('settle' as const) }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), operation), { maxLength: 30 }), (steps) => {
        const { a, b } = pair();
        const [plainA, plainB] = [0, 1].map(
          () => new NorFlash({ name: 'plain', sizeBytes: 4 * PAGE_BYTES, writeBlockBytes: 4 }),
        );
        for (const [isFirst, step] of steps) {
          for (const flash of isFirst ? [a, plainA] : [b, plainB]) {
            if (step.kind === 'write') flash?.write(step.at * 4, step.bytes.slice(0, step.bytes.length & ~3));
            else if (step.kind === 'erase') flash?.erasePage(step.page * PAGE_BYTES);
            else flash?.settle();
          }
        }
        for (const [shared, plain] of [
          [a, plainA],
          [b, plainB],
        ] as const) {
          const expected = plain?.read(0, 4 * PAGE_BYTES) ?? new Uint8Array(0);
          expect(Buffer.compare(shared.read(0, 4 * PAGE_BYTES), expected)).toBe(0);
        }
      }),
      { numRuns: 60 },
    );
  });
});
