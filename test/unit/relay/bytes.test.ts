import { randomBytes } from 'node:crypto';
import { concat, fromBase64Url, lp, toBase64Url, u32, u64, utf8 } from '@autowatering/relay-protocol';
import { describe, expect, it } from 'vitest';

describe('base64url', () => {
  it('is what Node writes, for every length, and is read back', () => {
    for (let length = 0; length < 70; length += 1) {
      const bytes = randomBytes(length);
      const text = bytes.toString('base64url');
      expect(toBase64Url(bytes)).toBe(text);
      expect(fromBase64Url(text)).toEqual(new Uint8Array(bytes));
    }
  });

  it.each(['A', 'AAAAA', 'AA==', 'AA=', 'A+AA', 'A/AA', 'AA A', 'AA\n', 'ÄAAA', 'AA\u0000A', 'AAA€'])(
    'refuses %j',
    (text) => {
      expect(fromBase64Url(text)).toBeUndefined();
    },
  );

  it('refuses a second spelling of the same bytes', () => {
    expect(fromBase64Url('AA')).toEqual(Uint8Array.of(0));
    for (const other of ['AB', 'AC', 'AP', 'AAB', 'AAD']) expect(fromBase64Url(other)).toBeUndefined();
  });
});

describe('numbers and lengths', () => {
  it('are big-endian', () => {
    expect(u32(0x01020304)).toEqual(Uint8Array.of(1, 2, 3, 4));
    expect(u64(Number.MAX_SAFE_INTEGER)).toEqual(Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255));
    expect(lp(utf8('é'))).toEqual(Uint8Array.of(0, 2, 0xc3, 0xa9));
    expect(concat(lp(new Uint8Array(0x0102)), utf8('x')).slice(0, 2)).toEqual(Uint8Array.of(1, 2));
  });

  it('are refused when they do not fit', () => {
    for (const bad of [-1, 1.5, 2 ** 32, Number.NaN]) expect(() => u32(bad)).toThrow(RangeError);
    for (const bad of [-1, 1.5, 2 ** 53, Number.NaN]) expect(() => u64(bad)).toThrow(RangeError);
    expect(() => lp(new Uint8Array(0x1_0000))).toThrow(RangeError);
  });
});
