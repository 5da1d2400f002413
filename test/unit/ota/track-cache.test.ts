import { describe, expect, it } from 'vitest';
import { createTrackCache } from '../../../src/ota/offer/track-cache.ts';
import { movableClock } from '../../support/recorders.ts';

describe('the track cache', () => {
  it('does not cache a failure', async () => {
    let reads = 0;
    const cache = createTrackCache<number>(movableClock(), 1_000);
    const read = async () => {
      reads += 1;
      if (reads === 1) throw new Error('down');
      return reads;
    };
    await expect(cache.get('a', read)).rejects.toThrow('down');
    await expect(cache.get('a', read)).resolves.toBe(2);
  });

  it('stays small regardless of how many tracks clients make up', async () => {
    let reads = 0;
    const cache = createTrackCache<void>(movableClock(), 1_000);
    const read = async () => {
      reads += 1;
    };
    await cache.get('real', read);
    for (let i = 0; i < 500; i += 1) await cache.get(`made-up-${i}`, read);
    reads = 0;
    await cache.get('made-up-499', read);
    expect(reads).toBe(0);
    await cache.get('real', read);
    expect(reads).toBe(1);
  });

  it('ignores entries from the future after the clock was set back', async () => {
    const clock = movableClock();
    const cache = createTrackCache<number>(clock, 1_000);
    await cache.get('a', async () => 1);
    clock.forward(-60_000);
    await expect(cache.get('a', async () => 2)).resolves.toBe(2);
  });
});
