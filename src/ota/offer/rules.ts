import type { ReleaseVersion } from '@autowatering/release-format';
import { EVERYBODY, type Release, type Requirements } from '../registry/release.ts';

/** What of a release decides whom it is offered to: the walk over these answers `GET /ota/latest`. */
export interface Rule extends Requirements {
  readonly version: ReleaseVersion;
  readonly state: 'published' | 'paused' | 'halted';
  /** Of the release: its facts, which lie in its own item, are kept under it. */
  readonly revision: number;
  readonly basisPoints: number;
  readonly hasAllowlist: boolean;
}

/** Far more than releases that are under way at one time; what is older than the hundredth is offered to nobody. */
export const MOST_RULES = 100;

/** The rule of a release, if it has one: drafts and withdrawn releases are as if they were not there. */
export function ruleOf(release: Release): Rule | undefined {
  const { version, state, revision, targeting, requirements } = release;
  if (state === 'draft' || state === 'withdrawn') return undefined;
  const { basisPoints, allowlist } = targeting;
  return { version, state, revision, basisPoints, hasAllowlist: allowlist.length > 0, ...requirements };
}

/** Whether every device may have it: then nothing older is ever offered, and the rules end here. */
export function endsRules(rule: Rule): boolean {
  const { state, basisPoints, minVersion, minBootloader } = rule;
  return state === 'published' && basisPoints >= EVERYBODY && minVersion === null && minBootloader === null;
}
