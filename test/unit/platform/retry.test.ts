import { describe, expect, it } from 'vitest';
import { retry } from '../../../src/platform/resilience/retry.ts';

describe('retry', () => {
  const policy = { attempts: 3, baseMs: 1 };
  const chance = { fraction: () => 0 };

  it('retries temporary failures, and gives up after the last attempt', async () => {
    let runs = 0;
    const work = async () => {
      runs += 1;
      throw new Error(`run ${runs}`);
    };
    await expect(retry(policy, chance, () => true, work)).rejects.toThrow('run 3');
    await expect(retry(policy, chance, () => false, work)).rejects.toThrow('run 4');
  });
});
