import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../../src/platform/cursor.ts';

describe('a cursor', () => {
  it('decodes to the sort key it was made from', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 100 }), (key) => decodeCursor(encodeCursor(key)) === key),
    );
  });

  it('is undefined for any other text', () => {
    fc.assert(fc.property(fc.string(), (text) => decodeCursor(text) === undefined));
    expect(decodeCursor(Buffer.from('[2,"x"]').toString('base64url'))).toBeUndefined();
  });
});
