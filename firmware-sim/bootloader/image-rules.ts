import { dependenciesOf, type McubootVersion, type ParsedImage, securityCounterOf } from '@autowatering/release-format';

/** What two images are compared by: their versions, or the counters under their signatures (facts sheet, F4). */
export type DowngradeRule = 'version' | 'security_counter';

/** A number kept where no update reaches it; it only ever rises. */
export interface SecurityCounter {
  value(): number;
  raiseTo(value: number): void;
}

/** One that begins at 0. */
export function createSecurityCounter(): SecurityCounter {
  let kept = 0;
  return {
    value: () => kept,
    raiseTo(value) {
      kept = Math.max(kept, value);
    },
  };
}

export function isDowngrade(candidate: ParsedImage, current: ParsedImage, rule: DowngradeRule): boolean {
  if (rule === 'version') return compareVersions(candidate.header.version, current.header.version) < 0;
  return (securityCounterOf(candidate) ?? 0) < (securityCounterOf(current) ?? 0);
}

/**
 * Whether an image depends on something that this device can't have. It has one image, number 0, which the candidate
 * itself would replace: its own version is the one that counts.
 */
export function unmetDependency(candidate: ParsedImage): boolean {
  const dependencies = dependenciesOf(candidate);
  if (dependencies === undefined) return true;
  return dependencies.some(
    ({ image, atLeast }) => image !== 0 || compareVersions(candidate.header.version, atLeast) < 0,
  );
}

/** Major, minor, revision; MCUboot leaves the build number out unless it is told otherwise. */
export function compareVersions(a: McubootVersion, b: McubootVersion): number {
  return a.major - b.major || a.minor - b.minor || a.revision - b.revision;
}
