import { describe, expect, it } from 'vitest';
import { TimeLimitError, withTimeLimit } from '../../../src/platform/resilience/time-limit.ts';

describe('a time limit', () => {
  it('aborts slow work and notifies it', async () => {
    let aborted = false;
    const endless = (signal: AbortSignal) =>
      new Promise<never>(() => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
      });
    await expect(withTimeLimit(5, endless)).rejects.toBeInstanceOf(TimeLimitError);
    expect(aborted).toBe(true);
  });

  it('returns the result or failure of fast work', async () => {
    await expect(withTimeLimit(1_000, async () => 'done')).resolves.toBe('done');
    await expect(withTimeLimit(1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
