import { describe, expect, it } from 'vitest';
import { createSharedCalls } from '../../../src/platform/shared-calls.ts';

describe('shared calls', () => {
  it('answer each caller with its own output, in the order asked, and at most so many at once', async () => {
    const calls: number[][] = [];
    const double = createSharedCalls<number, number>(3, async (inputs) => {
      calls.push([...inputs]);
      return inputs.map((input) => input * 2);
    });
    expect(await Promise.all([1, 2, 3, 4, 5].map(double))).toEqual([2, 4, 6, 8, 10]);
    expect(calls).toEqual([[1], [2, 3, 4], [5]]);
    expect(await double(6)).toBe(12);
  });

  it('fail for those who share the call, and for nobody else', async () => {
    const call = createSharedCalls<string, string>(2, async (inputs) => {
      if (inputs.includes('bad')) throw new Error('refused');
      return inputs;
    });
    const results = await Promise.allSettled([call('first'), call('bad'), call('beside it'), call('after')]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  });
});
