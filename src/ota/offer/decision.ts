import { compareReleaseVersions, type ReleaseVersion } from '@autowatering/release-format';
import type { Rule } from './rules.ts';

/** Why a release is withheld from a device. */
export type WithheldReason = 'not_in_rollout' | 'paused' | 'needs_intermediate' | 'bootloader_too_old';

/** What a track's rules need to know of a device. */
export interface Asking {
  /** Unknown if the phone doesn't say; releases that require a version are then withheld. */
  readonly current: ReleaseVersion | undefined;
  readonly bootloader: ReleaseVersion | undefined;
  isTargeted(rule: Rule): boolean;
}

export interface Decision {
  readonly updateAvailable: boolean;
  /** The offered version. Without an update, the newest version the device may have. */
  readonly version: ReleaseVersion | undefined;
  readonly reason: 'offered' | 'up_to_date' | 'no_release' | WithheldReason;
  /** The newest release that is withheld from this device. */
  readonly withheld: { readonly version: ReleaseVersion; readonly reason: WithheldReason } | undefined;
}

/**
 * Decides which release a device should run: the newest one it may have. Never an older version than the device runs,
 * unless that release allows downgrades and the running version is halted or no longer offered.
 *
 * @param rules newest first
 */
export function decide(rules: readonly Rule[], asking: Asking): Decision {
  let withheld: Decision['withheld'];
  const offered = (version: ReleaseVersion): Decision => ({
    ...{ updateAvailable: true, version, reason: 'offered', withheld },
  });
  const nothing = (version: ReleaseVersion | undefined): Decision => {
    const reason = withheld?.reason ?? (rules.length === 0 ? 'no_release' : 'up_to_date');
    return { updateAvailable: false, version, reason, withheld };
  };
  for (const rule of rules) {
    const order = asking.current === undefined ? 1 : compareReleaseVersions(rule.version, asking.current);
    const obstacle = obstacleTo(rule, asking);
    if (order > 0) {
      if (obstacle === undefined) return offered(rule.version);
      withheld ??= { version: rule.version, reason: obstacle };
    } else if (order === 0) {
      if (rule.state !== 'halted') return nothing(obstacle === undefined ? rule.version : undefined);
    } else if (obstacle === undefined) {
      return rule.allowDowngrade ? offered(rule.version) : nothing(rule.version);
    }
  }
  return nothing(undefined);
}

function obstacleTo(rule: Rule, asking: Asking): WithheldReason | undefined {
  if (rule.state !== 'published') return 'paused';
  if (!asking.isTargeted(rule)) return 'not_in_rollout';
  if (!reaches(asking.current, rule.minVersion)) return 'needs_intermediate';
  if (!reaches(asking.bootloader, rule.minBootloader)) return 'bootloader_too_old';
  return undefined;
}

function reaches(version: ReleaseVersion | undefined, minimum: ReleaseVersion | null): boolean {
  return minimum === null || (version !== undefined && compareReleaseVersions(version, minimum) >= 0);
}
