import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SecretValues } from '../../../src/platform/aws/secrets.ts';
import { systemRandomness } from '../../../src/platform/ids.ts';
import { createKeyWrap, UnwrapError } from '../../../src/relay/session/keys/wrapped-keys.ts';

const [OLD, NEW] = ['old-'.repeat(8), 'new-'.repeat(8)];
const wrapWith = (current: SecretValues, fresh: SecretValues = current) =>
  createKeyWrap({
    randomness: systemRandomness,
    secrets: { values: async () => current, freshValues: async () => fresh, isToken: async () => false },
  });

describe('a wrapped key', () => {
  const key = randomBytes(32);

  it('comes back in its own context, and shows nothing of itself', async () => {
    const wrap = wrapWith({ RELAY_WRAP_KEY: OLD });
    const wrapped = await wrap.wrap(key, 'connection');
    expect(await wrap.unwrap(wrapped, 'connection')).toEqual(key);
    expect(wrapped.includes(key)).toBe(false);
    expect(await wrap.wrap(key, 'connection')).not.toEqual(wrapped);
  });

  it('does not come back in another context, changed, or cut', async () => {
    const wrap = wrapWith({ RELAY_WRAP_KEY: OLD });
    const wrapped = await wrap.wrap(key, 'connection');
    await expect(wrap.unwrap(wrapped, 'connection2')).rejects.toThrow(UnwrapError);
    for (let at = 0; at < wrapped.byteLength; at += 7) {
      const changed = wrapped.map((byte, index) => (index === at ? byte ^ 1 : byte));
      await expect(wrap.unwrap(changed, 'connection')).rejects.toThrow(UnwrapError);
    }
    for (const length of [0, 3, 16, wrapped.byteLength - 1]) {
      await expect(wrap.unwrap(wrapped.subarray(0, length), 'connection')).rejects.toThrow(UnwrapError);
    }
  });

  it('comes back however many others were used since', async () => {
    const wrap = wrapWith({ RELAY_WRAP_KEY: OLD });
    const wrapped = await wrap.wrap(key, 'connection');
    for (let other = 0; other < 1_100; other += 1) await wrap.wrap(key, `connection ${other}`);
    expect(await wrap.unwrap(wrapped, 'connection')).toEqual(key);
    await expect(wrap.unwrap(wrapped, 'connection 1')).rejects.toThrow(UnwrapError);
  });

  it('outlives a rotation while the old key is listed, and comes from a container that knew it first', async () => {
    const wrapped = await wrapWith({ RELAY_WRAP_KEY: OLD }).wrap(key, 'c');
    expect(await wrapWith({ RELAY_WRAP_KEY: [NEW, OLD] }).unwrap(wrapped, 'c')).toEqual(key);
    await expect(wrapWith({ RELAY_WRAP_KEY: NEW }).unwrap(wrapped, 'c')).rejects.toThrow(UnwrapError);
    const early = await wrapWith({ RELAY_WRAP_KEY: [NEW, OLD] }).wrap(key, 'c');
    const late = wrapWith({ RELAY_WRAP_KEY: OLD }, { RELAY_WRAP_KEY: [NEW, OLD] });
    expect(await late.unwrap(early, 'c')).toEqual(key);
  });

  it('is never stored without a secret', async () => {
    await expect(wrapWith({}).wrap(key, 'c')).rejects.toThrow('RELAY_WRAP_KEY');
  });
});
