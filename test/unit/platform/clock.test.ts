import { describe, expect, it } from 'vitest';
import { isoTime, ttlSeconds } from '../../../src/platform/clock.ts';

describe('times', () => {
  it('expire in whole seconds, never early', () => {
    expect(ttlSeconds(1_500)).toBe(2);
    expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
  });
});
