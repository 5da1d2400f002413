import type { Services } from '../../platform/services.ts';
import type { ProgressStore } from '../progress/progress-store.ts';
import { changeRelease } from '../registry/change-release.ts';
import type { Outcomes, Release } from '../registry/release.ts';
import { mustHalt } from '../registry/release-steps.ts';
import type { ReleaseStore } from '../registry/store.ts';
import { type ComparedAlarms, compareAlarms, hasTooManyAlarms, type ReadAlarms } from './alarm-rate.ts';

export interface HaltParts {
  readonly store: ReleaseStore;
  readonly progress: ProgressStore;
  readonly readAlarms: ReadAlarms;
}

/**
 * Halts a release whose outcomes are too bad, or whose devices have too many alarms. Each report checks the counts after
 * adding its own, so the last of many concurrent reports sees them all and the threshold can't be missed.
 *
 * @param ended whether the report adds to the outcomes; alarms are checked with every report, also before a device is touched
 * @returns whether this call halted it
 */
export async function haltIfTooBad(
  { store, progress, readAlarms }: HaltParts,
  { metrics, log }: Pick<Services, 'metrics' | 'log'>,
  release: Release,
  ended: boolean,
  now: number,
): Promise<boolean> {
  const [counts, alarms] = await Promise.all([
    ended ? progress.readCounts(release) : undefined,
    compareAlarms(release, readAlarms),
  ]);
  const reasonFor = (current: Release) => reasonToHalt(current, counts, alarms);
  const reason = reasonFor(release);
  if (reason === undefined) return false;
  const change = await changeRelease(
    store,
    release,
    release.version,
    // Its current state: it may have been resumed, or have a new policy.
    (current) => (reasonFor(current) !== undefined && canHalt(current) ? { step: 'halt' } : undefined),
    { actor: 'system', reason },
    now,
  );
  if (change.outcome !== 'changed') return false;
  // Without dimensions of its own: the alarm in template.yaml covers all releases.
  metrics.count('ReleaseHalted');
  const { version, board, channel } = release;
  log.error('A release halted itself', { version, board, channel, reason });
  return true;
}

/** In words for the audit; undefined if there is none. */
function reasonToHalt(
  release: Release,
  counts: Outcomes | undefined,
  alarms: ComparedAlarms | undefined,
): string | undefined {
  if (counts !== undefined && mustHalt(release, counts))
    return `${counts.failures} of ${counts.finished} devices failed`;
  const { alarmPolicy } = release;
  if (alarmPolicy === null || alarms === undefined || !hasTooManyAlarms(alarmPolicy, alarms)) return undefined;
  const { own, others } = alarms;
  return (
    `alarms on ${own.withAlarms} of ${own.deviceDays} device days, ` +
    `under other versions on ${others.withAlarms} of ${others.deviceDays}`
  );
}

function canHalt({ state }: Release): boolean {
  return state === 'published' || state === 'paused';
}
