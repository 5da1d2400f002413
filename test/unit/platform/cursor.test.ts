import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../../src/platform/cursor.ts';

describe('a cursor', () => {
  it('gives back the sort key it was made of', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 100 }), (key) => decodeCursor(encodeCursor(key)) === key),
    );
  });

  it('is nothing for anything else', () => {
    fc.assert(fc.property(fc.string(), (text) => decodeCursor(text) === undefined));
    expect(decodeCursor(Buffer.from('[2,"x"]').toString('base64url'))).toBeUndefined();
  });
});
