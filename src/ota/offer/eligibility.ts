import { createHash } from 'node:crypto';
import type { ReleaseVersion } from '@autowatering/release-format';
import type { HwId, Serial } from '../../platform/ids.ts';
import { EVERYBODY, type Targeting, type Track } from '../registry/release.ts';

/** The device in question; a serial is resolved to its hardware id through the fleet. */
export interface TargetDevice {
  readonly hwId: HwId;
  readonly serial?: Serial;
}

const BUCKETS = 2 ** 32;

/**
 * The device's position in a release's rollout, from 0 to 2³² − 1: the first 4 bytes of SHA-256 over
 * `board|channel|version|hw_id`. Each release shuffles anew, so that no device is always first.
 */
export function rolloutBucket({ board, channel }: Track, version: ReleaseVersion, hwId: HwId): number {
  return createHash('sha256').update(`${board}|${channel}|${version}|${hwId}`).digest().readUInt32BE(0);
}

/** Deterministic and monotone: raising the percentage never removes a device. Whole numbers, to avoid rounding. */
export function isInPercentage(basisPoints: number, bucket: number): boolean {
  return bucket * EVERYBODY < basisPoints * BUCKETS;
}

export function isListed({ allowlist }: Pick<Targeting, 'allowlist'>, device: TargetDevice): boolean {
  return allowlist.includes(device.hwId) || (device.serial !== undefined && allowlist.includes(device.serial));
}

/** Whether the release is for this device. Without a device, only releases for everybody are. */
export function isTargeted(
  release: Track & { readonly version: ReleaseVersion; readonly targeting: Targeting },
  device: TargetDevice | undefined,
): boolean {
  const { basisPoints } = release.targeting;
  if (basisPoints >= EVERYBODY) return true;
  if (device === undefined) return false;
  return (
    isInPercentage(basisPoints, rolloutBucket(release, release.version, device.hwId)) ||
    isListed(release.targeting, device)
  );
}
