import type { Services } from '../../platform/services.ts';
import type { ProgressStore } from '../progress/progress-store.ts';
import { changeRelease } from '../registry/change-release.ts';
import type { Release } from '../registry/release.ts';
import { mustHalt } from '../registry/release-steps.ts';
import type { ReleaseStore } from '../registry/store.ts';

/**
 * Halts a release whose outcomes are too bad. Each report checks the counts after adding its own, so the last of many
 * concurrent reports sees them all and the threshold can't be missed.
 *
 * @returns whether this call halted it
 */
export async function haltIfTooBad(
  { store, progress }: { readonly store: ReleaseStore; readonly progress: ProgressStore },
  { metrics, log }: Pick<Services, 'metrics' | 'log'>,
  release: Release,
  now: number,
): Promise<boolean> {
  const counts = await progress.readCounts(release);
  if (!mustHalt(release, counts)) return false;
  const { failures, finished } = counts;
  const reason = `${failures} of ${finished} devices failed`;
  const change = await changeRelease(
    store,
    release,
    release.version,
    // Its current state: it may have been resumed, or have a new policy.
    (current) => (mustHalt(current, counts) && canHalt(current) ? { step: 'halt' } : undefined),
    { actor: 'system', reason },
    now,
  );
  if (change.outcome !== 'changed') return false;
  // Without dimensions of its own: the alarm in template.yaml covers all releases.
  metrics.count('ReleaseHalted');
  const { version, board, channel } = release;
  log.error('A release halted itself', { version, board, channel, failures, finished });
  return true;
}

function canHalt({ state }: Release): boolean {
  return state === 'published' || state === 'paused';
}
