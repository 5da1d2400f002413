import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRecentLogin } from '../../../src/account/deletion.ts';
import { LARGEST_STATE_BYTES, packState, unpackState } from '../../../src/account/state.ts';
import { incompressible } from '../../support/incompressible.ts';

describe('a packed state', () => {
  it('unpacks to the original', async () => {
    const object = fc.dictionary(
      fc.string().filter((key) => key !== '__proto__'),
      fc.jsonValue(),
    );
    await fc.assert(
      fc.asyncProperty(object, async (state) => {
        const result = await packState(state);
        if (!result.ok || result.packed.encoding === 'object') throw new Error('a small state belongs into the item');
        expect(JSON.stringify(await unpackState(result.packed.body))).toBe(JSON.stringify(state));
      }),
    );
  });

  it('uses the smallest storage that fits', async () => {
    const home = async (state: Record<string, unknown>) => {
      const result = await packState(state);
      return result.ok ? result.packed.encoding : result.bytes;
    };
    expect(await home({ small: true })).toBe('json');
    expect(await home({ t: 'water'.repeat(10_000) })).toBe('gzip');
    expect(await home({ t: incompressible(500_000) })).toBe('object');
    expect(await home({ t: 'x'.repeat(LARGEST_STATE_BYTES) })).toBe(LARGEST_STATE_BYTES + 8);
  });

  it('is measured in bytes, not characters', async () => {
    const result = await packState({ t: '🍅'.repeat(LARGEST_STATE_BYTES / 4) });
    expect(result.ok).toBe(false);
  });

  it('is rejected when it is damaged', async () => {
    await expect(unpackState('[1]')).rejects.toThrow();
    await expect(unpackState(Buffer.from('not gzip'))).rejects.toThrow();
  });
});

describe('a recent login', () => {
  const now = 1_000_000_000;
  it.each([
    [0, true],
    [599, true],
    [600, true],
    [601, false],
    [-30, true],
    [-120, false],
  ])('%d s ago: %s', (ageSeconds, expected) => {
    expect(isRecentLogin(now / 1000 - ageSeconds, now)).toBe(expected);
  });

  it('needs a sign-in time in the token', () => {
    expect(isRecentLogin(undefined, now)).toBe(false);
  });
});
