import { compareReleaseVersions, type ReleaseVersion } from '@autowatering/release-format';
import type { Rule } from './rules.ts';

/** Why a release is not for a device. */
export type WithheldReason = 'not_in_rollout' | 'paused' | 'needs_intermediate' | 'bootloader_too_old';

/** What a device is to a track's rules. */
export interface Asking {
  /** Unknown where the phone does not say: then a release that asks for a version is not for it. */
  readonly current: ReleaseVersion | undefined;
  readonly bootloader: ReleaseVersion | undefined;
  isTargeted(rule: Rule): boolean;
}

export interface Decision {
  readonly updateAvailable: boolean;
  /** What is offered; when nothing is, the newest that the device may have, which is no news to it. */
  readonly version: ReleaseVersion | undefined;
  readonly reason: 'offered' | 'up_to_date' | 'no_release' | WithheldReason;
  /** The newest release that is withheld from this device. */
  readonly withheld: { readonly version: ReleaseVersion; readonly reason: WithheldReason } | undefined;
}

/**
 * Which release a device should run: the newest that it may have. Never an older one than it runs, unless that one says
 * so, and what the device runs is halted or not offered any more.
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
