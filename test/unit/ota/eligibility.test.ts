import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isInPercentage, isTargeted, rolloutBucket } from '../../../src/ota/offer/eligibility.ts';
import { isSerial } from '../../../src/platform/ids.ts';
import { hwId, version } from '../../support/ota-names.ts';

const track = { board: 'arduino_nano_33_ble', channel: 'stable' };
const release = (basisPoints: number, allowlist: readonly string[] = []) => ({
  ...track,
  version: version('1.2.0'),
  targeting: { basisPoints, allowlist },
});
const basisPoints = fc.integer({ min: 0, max: 10_000 });
const device = fc.integer({ min: 0, max: 0xffffffff }).map((number) => hwId(number));

describe("a device's place in a rollout", () => {
  it('is the first four bytes of the documented hash', () => {
    // By sha256sum, the SHA-256 of "arduino_nano_33_ble|stable|1.2.0|AABBCCDD" begins with these bytes.
    expect(rolloutBucket(track, version('1.2.0'), hwId('AABBCCDD'))).toBe(0x2be9a754);
  });

  it('is the same each time', () => {
    fc.assert(
      fc.property(device, basisPoints, (id, share) => {
        const target = { hwId: id };
        expect(isTargeted(release(share), target)).toBe(isTargeted(release(share), target));
      }),
    );
  });

  it('is never lost when the percentage rises', () => {
    fc.assert(
      fc.property(device, basisPoints, basisPoints, (id, a, b) => {
        const [less, more] = [Math.min(a, b), Math.max(a, b)];
        if (isTargeted(release(less), { hwId: id })) expect(isTargeted(release(more), { hwId: id })).toBe(true);
      }),
    );
  });

  it('keeps the percentage within one point over 100,000 devices', () => {
    const buckets = Array.from({ length: 100_000 }, (_, i) => rolloutBucket(track, version('3.1.4'), hwId(i)));
    for (const share of [1, 25, 1_000, 3_333, 5_000, 9_000, 9_999]) {
      const inside = buckets.filter((bucket) => isInPercentage(share, bucket)).length;
      expect(Math.abs(inside / 1_000 - share / 100)).toBeLessThan(1);
    }
  });

  it('includes no device at 0 % and all at 100 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (bucket) => {
        expect(isInPercentage(0, bucket)).toBe(false);
        expect(isInPercentage(10_000, bucket)).toBe(true);
      }),
    );
  });

  it('differs for the next version, so no device is always first', () => {
    const first = (of: string) =>
      new Set(
        Array.from({ length: 2_000 }, (_, i) => i).filter((i) =>
          isInPercentage(1_000, rolloutBucket(track, version(of), hwId(i))),
        ),
      );
    const [one, two] = [first('1.0.0'), first('1.0.1')];
    expect([...one].filter((i) => two.has(i)).length).toBeLessThan(one.size / 3);
  });

  it('can be given by the allowlist, by serial or hardware id', () => {
    const target = { hwId: hwId('AABBCCDD'), serial: '000042' } as const;
    const serial = { hwId: hwId('AABBCCDD') };
    expect(isTargeted(release(0, ['AABBCCDD']), serial)).toBe(true);
    expect(isTargeted(release(0, ['000042']), { ...serial, ...serialOf(target.serial) })).toBe(true);
    expect(isTargeted(release(0, ['000043']), { ...serial, ...serialOf(target.serial) })).toBe(false);
  });

  it('is needed: without a device only a full release counts', () => {
    expect(isTargeted(release(10_000), undefined)).toBe(true);
    expect(isTargeted(release(9_999, ['AABBCCDD']), undefined)).toBe(false);
  });
});

function serialOf(text: string) {
  if (!isSerial(text)) throw new Error(text);
  return { serial: text };
}
