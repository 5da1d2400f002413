import { describe, expect, it } from 'vitest';
import { TimeLimitError, withTimeLimit } from '../../../src/platform/resilience/time-limit.ts';

describe('a time limit', () => {
  it('ends what takes too long, and tells it so', async () => {
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

  it('gives the result, or the failure, of what is quick', async () => {
    await expect(withTimeLimit(1_000, async () => 'done')).resolves.toBe('done');
    await expect(withTimeLimit(1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});
