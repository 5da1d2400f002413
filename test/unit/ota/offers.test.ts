import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseReleaseVersion, type ReleaseVersion } from '../../../release-format/release-version.ts';
import { decideOffer, offeredOn } from '../../../src/ota/latest.ts';
import { createOfferCache } from '../../../src/ota/offer-cache.ts';
import type { Offer } from '../../../src/ota/release.ts';
import { movableClock } from '../../support/recorders.ts';

function version(text: string): ReleaseVersion {
  const parsed = parseReleaseVersion(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

const offer = (text: string): Offer => ({
  version: version(text),
  channel: 'stable',
  mandatory: false,
  notes: '',
  artifact: { name: 'a.bin', sizeBytes: 1, sha256: 'a'.repeat(64), storageKey: 'k' },
});

describe('the decision', () => {
  it.each([
    ['2.0.0', '2.0.0-rc.1', true],
    ['1.10.0', '1.9.0', true],
    ['1.9.0', '1.10.0', false],
    ['1.0.0', '1.0.0', false],
    ['1.0.0', undefined, true],
  ])('offered %s to %s: %s', (offered, current, expected) => {
    const decision = decideOffer(offer(offered), current === undefined ? undefined : version(current));
    expect(decision.updateAvailable).toBe(expected);
    expect(decision.reason).toBe(expected ? 'offered' : 'up_to_date');
  });

  it('is no_release when there is none', () => {
    expect(decideOffer(undefined, version('1.0.0'))).toEqual({
      updateAvailable: false,
      offer: null,
      reason: 'no_release',
    });
  });

  it('never sends a device back', () => {
    const part = fc.nat({ max: 30 });
    fc.assert(
      fc.property(part, part, part, part, (a, b, c, d) => {
        const decision = decideOffer(offer(`${a}.${b}.0`), version(`${c}.${d}.0`));
        expect(decision.updateAvailable).toBe(a > c || (a === c && b > d));
      }),
    );
  });
});

describe('the fallback', () => {
  const fallback = {
    ...{ version: '9.0.0', board: 'b', channel: 'stable', storageKey: 'k', sizeBytes: 1, sha256: 'a'.repeat(64) },
    ...{ notes: '', mandatory: false },
  };
  const track = { board: 'b', channel: 'stable' };

  it('answers for its own track, and only while the registry is empty', () => {
    expect(offeredOn(track, { registry: 'empty' }, fallback)?.version).toBe('9.0.0');
    expect(offeredOn({ ...track, board: 'other' }, { registry: 'empty' }, fallback)).toBeUndefined();
    expect(offeredOn({ ...track, channel: 'beta' }, { registry: 'empty' }, fallback)).toBeUndefined();
    expect(offeredOn(track, { registry: 'unpublished' }, fallback)).toBeUndefined();
    expect(offeredOn(track, { registry: 'offering', offer: offer('1.0.0') }, fallback)?.version).toBe('1.0.0');
    expect(offeredOn(track, { registry: 'empty' }, { ...fallback, version: 'nine' })).toBeUndefined();
  });
});

describe('the offer cache', () => {
  const track = (channel: string) => ({ board: 'b', channel });

  it('does not keep a failure', async () => {
    let reads = 0;
    const cache = createOfferCache(movableClock(), async () => {
      reads += 1;
      if (reads === 1) throw new Error('down');
      return reads;
    });
    await expect(cache.get(track('a'))).rejects.toThrow('down');
    await expect(cache.get(track('a'))).resolves.toBe(2);
  });

  it('stays small however many tracks the public makes up', async () => {
    let reads = 0;
    const cache = createOfferCache(movableClock(), async () => {
      reads += 1;
    });
    await cache.get(track('real'));
    for (let i = 0; i < 500; i += 1) await cache.get(track(`made-up-${i}`));
    reads = 0;
    await cache.get(track('made-up-499'));
    expect(reads).toBe(0);
    await cache.get(track('real'));
    expect(reads).toBe(1);
  });
});
