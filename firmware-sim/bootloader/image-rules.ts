import { dependenciesOf, type McubootVersion, type ParsedImage, securityCounterOf } from '@autowatering/release-format';

/** What images are compared by: their versions, or their signed security counters (facts sheet, F4). */
export type DowngradeRule = 'version' | 'security_counter';

/** A number stored where no update reaches it. It only ever rises. */
export interface SecurityCounter {
  value(): number;
  raiseTo(value: number): void;
}

/** Creates a counter that starts at 0. */
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
 * Whether an image has a dependency that this device can't meet. The device has one image, number 0, which the
 * candidate would replace, so the candidate's own version counts.
 */
export function unmetDependency(candidate: ParsedImage): boolean {
  const dependencies = dependenciesOf(candidate);
  if (dependencies === undefined) return true;
  return dependencies.some(
    ({ image, atLeast }) => image !== 0 || compareVersions(candidate.header.version, atLeast) < 0,
  );
}

/** Compares major, minor and revision. Ignores the build number, like MCUboot by default. */
export function compareVersions(a: McubootVersion, b: McubootVersion): number {
  return a.major - b.major || a.minor - b.minor || a.revision - b.revision;
}
