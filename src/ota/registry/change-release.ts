import type { ReleaseVersion } from '@autowatering/release-format';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Release, ReleaseState, Track } from './release.ts';
import type { ReleaseAuditEntry } from './release-audit.ts';
import { planReleaseStep, type ReleaseStep } from './release-steps.ts';
import type { ReleaseStore } from './store.ts';

export type ChangeOutcome =
  | { readonly outcome: 'changed' | 'unchanged'; readonly release: Release }
  | { readonly outcome: 'release_not_found' }
  | { readonly outcome: 'refused'; readonly state: ReleaseState; readonly from: readonly ReleaseState[] };

/**
 * Takes a step on a release. After a concurrent change it reads again and decides anew.
 *
 * @param stepFor the step, which may depend on the release's current state
 */
export async function changeRelease(
  store: ReleaseStore,
  track: Track,
  version: ReleaseVersion,
  stepFor: (release: Release) => ReleaseStep | undefined,
  entry: Omit<ReleaseAuditEntry, 'action'>,
  now: number,
): Promise<ChangeOutcome> {
  return store.whileOvertaken(`The change of release ${version}`, async () => {
    const release = await store.readRelease(track, version);
    if (release === undefined) return { outcome: 'release_not_found' };
    const step = stepFor(release);
    if (step === undefined) return { outcome: 'unchanged', release };
    const plan = planReleaseStep(release, step);
    if (plan.plan === 'refuse') return { outcome: 'refused', state: release.state, from: plan.from };
    if (plan.plan === 'nothing') return { outcome: 'unchanged', release };
    const facts = step.step === 'rollout' ? { facts: rolloutFacts(plan.release) } : {};
    const isWritten = await store.commit(release, plan.release, { ...entry, ...facts, action: step.step }, now);
    return isWritten ? { outcome: 'changed', release: plan.release } : OVERTAKEN;
  });
}

function rolloutFacts({ targeting, haltPolicy, alarmPolicy }: Release) {
  return {
    rollout_pct: targeting.basisPoints / 100,
    allowlist_entries: targeting.allowlist.length,
    halt_min_reports: haltPolicy.minReports,
    halt_max_failure_pct: haltPolicy.maxFailurePct,
    ...(alarmPolicy === null
      ? {}
      : { halt_min_device_days: alarmPolicy.minDeviceDays, halt_max_alarm_ratio: alarmPolicy.maxRatio }),
  };
}
