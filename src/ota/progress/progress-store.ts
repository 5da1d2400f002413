import { type TransactItems, transactWrite } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import { isoTime } from '../../platform/clock.ts';
import type { HwId } from '../../platform/ids.ts';
import { createWhileOvertaken } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import { fields, flag, listOf, number, oneOf, orNull } from '../../platform/shapes.ts';
import { releasePartition } from '../registry/store.ts';
import { SCHEMA } from '../registry/stored-release.ts';
import { createReleaseCounts, type ReleaseId } from './release-counts.ts';
import {
  type AttemptProgress,
  type DeviceProgress,
  isFirmwareFault,
  NO_PROGRESS,
  REPORT_STATUSES,
  type Report,
  type ReportPlan,
} from './report-plan.ts';

const readStoredProgress = fields({
  revision: number,
  statuses: listOf(oneOf(REPORT_STATUSES)),
  reached: flag,
  finished: flag,
  has_failed: flag,
  verified: flag,
  failures_in_row: number,
  blocked_until: orNull(number),
});

export interface KnownProgress {
  readonly device: DeviceProgress;
  readonly attempt: AttemptProgress;
  /** Whether this attempt has reported this status before. */
  readonly isRepeated: boolean;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** Progress of releases: one item per device and release, one per attempt, and the kept counts. */
export function createProgressStore({ config, documents, randomness }: Needed) {
  const TableName = config.tables.otaReleases;
  const releaseCounts = createReleaseCounts({ config, documents });
  const deviceKey = (release: ReleaseId, hwId: HwId) => ({
    board_channel: releasePartition(release),
    version: `device#${hwId}`,
  });
  const attemptKey = (release: ReleaseId, { hwId, attemptId }: Pick<Report, 'hwId' | 'attemptId'>) => ({
    board_channel: releasePartition(release),
    version: `attempt#${hwId}#${attemptId}`,
  });
  const progressAction = (release: ReleaseId, hwId: HwId, from: number, next: DeviceProgress, set: object) => {
    const change = updateExpression({
      set: {
        revision: next.revision,
        statuses: [...next.statuses],
        reached: next.isReached,
        finished: next.isFinished,
        has_failed: next.hasFailed,
        verified: next.isVerified,
        failures_in_row: next.failuresInRow,
        blocked_until: next.blockedUntil,
        schema: SCHEMA,
        ...set,
      },
    });
    return {
      Update: {
        TableName,
        Key: deviceKey(release, hwId),
        UpdateExpression: change.UpdateExpression,
        ConditionExpression: from === 0 ? 'attribute_not_exists(board_channel)' : '#revision = :read_revision',
        ExpressionAttributeNames: change.names,
        ExpressionAttributeValues: { ...change.values, ...(from === 0 ? {} : { ':read_revision': from }) },
      },
    };
  };

  const readProgress = async (
    release: ReleaseId,
    hwId: HwId,
    { mayBeStale = false }: { readonly mayBeStale?: boolean } = {},
  ): Promise<DeviceProgress> => {
    const { Item: item } = await (await documents()).get({
      TableName,
      Key: deviceKey(release, hwId),
      ConsistentRead: !mayBeStale,
    });
    return item === undefined ? NO_PROGRESS : toProgress(item);
  };

  return {
    /** Retries from fresh reads while other changes get in between. */
    whileOvertaken: createWhileOvertaken(randomness),
    readProgress,
    /** Adds up the kept counts, including everything committed before. */
    readCounts: releaseCounts.readCounts,
    /** Endings by error code, phone model and hour. Each kind has its own read limit. */
    readBreakdown: releaseCounts.readBreakdown,

    /**
     * Reads what is needed to plan a report. The attempt is read only where it can matter: if its failure may have been
     * counted, or this status was reported before.
     */
    async readForReport(
      release: ReleaseId,
      report: Report,
      how: { readonly mayBeStale: boolean },
    ): Promise<KnownProgress> {
      const device = await readProgress(release, report.hwId, how);
      const { status, errorCode } = report;
      if (!isFirmwareFault(status, errorCode) && !device.statuses.includes(status)) {
        return { device, attempt: { hasFailed: false }, isRepeated: false };
      }
      const { Item: attempt } = await (await documents()).get({
        TableName,
        Key: attemptKey(release, report),
        ConsistentRead: true,
      });
      return {
        device,
        attempt: { hasFailed: attempt?.['has_failed'] === true },
        isRepeated: attempt?.[`${report.status}_at`] !== undefined,
      };
    },

    /**
     * Writes a report with everything it changes, or nothing.
     *
     * @returns false when another report of the device came in between and it has to be planned anew
     */
    async commit(
      release: ReleaseId,
      report: Report,
      known: KnownProgress,
      plan: ReportPlan,
      facts: object,
      now: number,
    ) {
      const time = isoTime(now);
      const attempt = updateExpression({
        set: {
          [`${report.status}_at`]: time,
          ...facts,
          ...(plan.countsAsFailure ? { has_failed: true } : {}),
          schema: SCHEMA,
        },
      });
      const actions: TransactItems = [
        {
          Update: {
            TableName,
            Key: attemptKey(release, report),
            UpdateExpression: attempt.UpdateExpression,
            ConditionExpression: `attribute_not_exists(#${report.status}_at)`,
            ExpressionAttributeNames: attempt.names,
            ExpressionAttributeValues: attempt.values,
          },
        },
        progressAction(release, report.hwId, known.device.revision, plan.progress, {
          last_status: report.status,
          last_at: time,
        }),
        ...releaseCounts.countActions(release, report.hwId, plan),
      ];
      return (await transactWrite(documents, randomness, actions)).committed;
    },

    /** Records, once, that a device has asked since the release was published. */
    async markReached(release: ReleaseId, hwId: HwId, known: DeviceProgress, now: number): Promise<void> {
      const next = { ...known, revision: known.revision + 1, isReached: true };
      // If another write to the device's progress comes first, that one records this as well.
      await transactWrite(documents, randomness, [
        progressAction(release, hwId, known.revision, next, { last_at: isoTime(now) }),
        ...releaseCounts.countActions(release, hwId, { counts: { reached: 1 }, breakdowns: [] }),
      ]);
    },

    /** Lets a device try again after too many failures. @returns false when another change came in between */
    async lift(release: ReleaseId, hwId: HwId, known: DeviceProgress, now: number): Promise<boolean> {
      const next = { ...known, revision: known.revision + 1, failuresInRow: 0, blockedUntil: null };
      const lifted = progressAction(release, hwId, known.revision, next, { lifted_at: isoTime(now) });
      return (await transactWrite(documents, randomness, [lifted])).committed;
    },
  };
}

export type ProgressStore = ReturnType<typeof createProgressStore>;

function toProgress(item: unknown): DeviceProgress {
  const stored = readStoredProgress(item);
  return {
    revision: stored.revision,
    statuses: stored.statuses,
    isReached: stored.reached,
    isFinished: stored.finished,
    hasFailed: stored.has_failed,
    isVerified: stored.verified,
    failuresInRow: stored.failures_in_row,
    blockedUntil: stored.blocked_until,
  };
}
