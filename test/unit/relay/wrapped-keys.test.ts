import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createKeyWrap } from '../../../src/relay/session/wrapped-keys.ts';

function wrapWith(...secrets: string[]) {
  const values = async () => ({ RELAY_WRAP_KEY: secrets });
  const randomness = { bytes: (count: number) => randomBytes(count) };
  return { secrets, wrap: createKeyWrap({ secrets: { values, freshValues: values }, randomness }) };
}

describe('a wrapped key', () => {
  it('is unwrapped for its own context only, however many others were used since', async () => {
    const { wrap } = wrapWith('the first secret');
    const key = randomBytes(32);
    const wrapped = await wrap.wrap(key, 'a connection');
    for (let other = 0; other < 1_100; other += 1) await wrap.wrap(key, `connection ${other}`);
    expect(await wrap.unwrap(wrapped, 'a connection')).toEqual(key);
    expect(await wrap.unwrap(wrapped, 'a connection')).toEqual(key);
    await expect(wrap.unwrap(wrapped, 'connection 1')).rejects.toThrow('Not wrapped for this');
  });

  it('is not unwrapped any more once its secret is gone', async () => {
    const { secrets, wrap } = wrapWith('the first secret');
    const key = randomBytes(32);
    const wrapped = await wrap.wrap(key, 'a connection');
    secrets.unshift('the second secret');
    expect(await wrap.unwrap(wrapped, 'a connection')).toEqual(key);
    secrets.pop();
    await expect(wrap.unwrap(wrapped, 'a connection')).rejects.toThrow('does not have');
  });
});
