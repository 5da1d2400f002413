import { describe, expect, it } from 'vitest';
import { createSerialNumbers } from '../../../src/fleet/device/serial-numbers.ts';

function counterTo(last: number) {
  let taken = 0;
  const takes: number[] = [];
  const { take: next, giveBack } = createSerialNumbers(async (count) => {
    takes.push(count);
    if (taken + count > last) return undefined;
    taken += count;
    return taken;
  });
  return { next, giveBack, takes };
}

describe('serial numbers', () => {
  it('are each given once, and none is skipped, however many ask at once', async () => {
    const { next, takes } = counterTo(100);
    const given = await Promise.all(Array.from({ length: 40 }, () => next()));
    expect(given).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(takes).toEqual([1, 39]);
    expect(await next()).toBe(41);
  });

  it('are given to the last one when more ask than are left', async () => {
    const { next } = counterTo(5);
    const given = await Promise.all(Array.from({ length: 8 }, () => next()));
    expect(given).toEqual([1, 2, 3, 4, 5, undefined, undefined, undefined]);
  });

  it('that were given back are given first, once', async () => {
    const { next, giveBack, takes } = counterTo(3);
    expect([await next(), await next()]).toEqual([1, 2]);
    giveBack(2);
    giveBack(1);
    expect(await Promise.all([next(), next(), next(), next()])).toEqual([2, 1, 3, undefined]);
    expect(takes).toEqual([1, 1, 1, 1]);
  });

  it('fail for those who waited for them, and for nobody after', async () => {
    let isBroken = true;
    const { take: next } = createSerialNumbers(async (count) => {
      if (isBroken) throw new Error('no counter');
      return count;
    });
    const failed = await Promise.allSettled([next(), next(), next()]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    isBroken = false;
    expect(await next()).toBe(1);
  });
});
