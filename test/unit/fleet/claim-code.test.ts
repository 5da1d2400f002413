import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serialOf, thingName } from '../../../src/fleet/device/device.ts';
import { createClaimCode, parseClaimCode } from '../../../src/fleet/ownership/claim-code.ts';

const code = fc
  .uint8Array({ minLength: 9, maxLength: 9 })
  .map((bytes) => createClaimCode({ bytes: () => Buffer.from(bytes) }));
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

describe('a claim code', () => {
  it('is accepted in any spelling a person may use', () => {
    fc.assert(
      fc.property(code, (made) => {
        const typed = `${made.slice(0, 3)}-${made.slice(3, 7)} ${made.slice(7)}`.toLowerCase();
        expect(parseClaimCode(typed)).toBe(made);
        expect(parseClaimCode(made.replace(/0/g, 'o').replace(/1/g, 'l'))).toBe(made);
      }),
    );
  });

  it('with one wrong character is invalid', () => {
    fc.assert(
      fc.property(code, fc.nat({ max: 8 }), fc.nat({ max: 31 }), (made, at, other) => {
        const wrong = ALPHABET.charAt(other);
        fc.pre(wrong !== made.charAt(at));
        expect(parseClaimCode(made.slice(0, at) + wrong + made.slice(at + 1))).toBeUndefined();
      }),
    );
  });

  it('with two swapped neighbours is invalid', () => {
    fc.assert(
      fc.property(code, fc.nat({ max: 7 }), (made, at) => {
        fc.pre(made.charAt(at) !== made.charAt(at + 1));
        const swapped = made.slice(0, at) + made.charAt(at + 1) + made.charAt(at) + made.slice(at + 2);
        expect(parseClaimCode(swapped)).toBeUndefined();
      }),
    );
  });
});

describe('a serial', () => {
  it('has six digits, never seven', () => {
    expect(serialOf(1)).toBe('000001');
    expect(serialOf(999_999)).toBe('999999');
    expect(thingName(serialOf(42))).toBe('autowatering-000042');
    expect(() => serialOf(1_000_000)).toThrow(/six digits/);
  });
});
