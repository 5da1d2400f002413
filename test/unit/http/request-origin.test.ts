import { describe, expect, it } from 'vitest';
import { addressOf, stageOf } from '../../../src/http/request-origin.ts';

describe('where a request comes from', () => {
  it('is unknown without an adapter, and never taken from what the client claims', () => {
    expect(addressOf(undefined)).toBe('unknown');
    expect(stageOf(undefined)).toBeUndefined();
  });
});
