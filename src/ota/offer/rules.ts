import type { ReleaseVersion } from '@autowatering/release-format';
import { EVERYBODY, type Release, type Requirements } from '../registry/release.ts';

/** The part of a release that decides who is offered it; `GET /ota/latest` walks over these. */
export interface Rule extends Requirements {
  readonly version: ReleaseVersion;
  readonly state: 'published' | 'paused' | 'halted';
  /** The release's revision; its facts, stored in its own item, are cached under it. */
  readonly revision: number;
  readonly basisPoints: number;
  readonly hasAllowlist: boolean;
}

/** Far more than the releases under way at one time; releases beyond the hundredth are offered to nobody. */
export const MOST_RULES = 100;

/** The rule of a release; drafts and withdrawn releases have none. */
export function ruleOf(release: Release): Rule | undefined {
  const { version, state, revision, targeting, requirements } = release;
  if (state === 'draft' || state === 'withdrawn') return undefined;
  const { basisPoints, allowlist } = targeting;
  return { version, state, revision, basisPoints, hasAllowlist: allowlist.length > 0, ...requirements };
}

/** Whether every device may have it. Nothing older is ever offered then, so the rules end here. */
export function endsRules(rule: Rule): boolean {
  const { state, basisPoints, minVersion, minBootloader } = rule;
  return state === 'published' && basisPoints >= EVERYBODY && minVersion === null && minBootloader === null;
}
