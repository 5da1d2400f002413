import { createHash } from 'node:crypto';
import type { ReleaseVersion } from '@autowatering/release-format';
import { type TransactItems, transactWrite } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import { isoTime } from '../../platform/clock.ts';
import type { HwId } from '../../platform/ids.ts';
import { createWhileOvertaken } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import {
  type Fields,
  fields,
  flag,
  listOf,
  number,
  oneOf,
  orNull,
  type Shape,
  text,
  withDefault,
} from '../../platform/shapes.ts';
import type { Track } from '../registry/release.ts';
import { releasePartition } from '../registry/store.ts';
import { SCHEMA } from '../registry/stored-release.ts';
import {
  type AttemptProgress,
  BREAKDOWNS,
  type Breakdown,
  COUNTERS,
  type Counter,
  type DeviceProgress,
  isFirmwareFault,
  NO_PROGRESS,
  REPORT_STATUSES,
  type Report,
  type ReportPlan,
} from './report-plan.ts';

/** Transactions on one item conflict, so a release's counts are spread over several and added up by one query. */
const SHARDS = 16;
/** More than the phone models, error codes and hours of any release; the breakdown leaves out the rest. */
const MOST_BREAKDOWN_PAGES = 4;

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

const BREAKDOWN = {
  by: oneOf(BREAKDOWNS),
  value: text,
  confirmed: withDefault(number, 0),
  failures: withDefault(number, 0),
  interrupted: withDefault(number, 0),
};
const readEntry: Shape<BreakdownEntry> = fields(BREAKDOWN);
export type BreakdownEntry = Fields<typeof BREAKDOWN>;

const readCount = withDefault(number, 0);
const NO_COUNTS: Counts = {
  ...{ reached: 0, offered: 0, on_phone: 0, uploading: 0, testing: 0, confirmed: 0, reverted: 0, failed: 0 },
  ...{ finished: 0, failures: 0, verified: 0 },
};

type ReleaseId = Track & { readonly version: ReleaseVersion };
export type Counts = Readonly<Record<Counter, number>>;

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
  const deviceKey = (release: ReleaseId, hwId: HwId) => ({
    board_channel: releasePartition(release),
    version: `device#${hwId}`,
  });
  const attemptKey = (release: ReleaseId, { hwId, attemptId }: Pick<Report, 'hwId' | 'attemptId'>) => ({
    board_channel: releasePartition(release),
    version: `attempt#${hwId}#${attemptId}`,
  });
  const countAction = (release: ReleaseId, record: string, add: Record<string, number>, set: object) => {
    const change = updateExpression({ add, set: { ...set, schema: SCHEMA } });
    return {
      Update: {
        TableName,
        Key: { board_channel: releasePartition(release), version: record },
        UpdateExpression: change.UpdateExpression,
        ExpressionAttributeNames: change.names,
        ExpressionAttributeValues: change.values,
      },
    };
  };
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

  const readEndings = async (release: ReleaseId, by: Breakdown): Promise<readonly BreakdownEntry[]> => {
    const sums = new Map<string, BreakdownEntry>();
    let from: Record<string, unknown> | undefined;
    for (let page = 0; page < MOST_BREAKDOWN_PAGES; page += 1) {
      const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
        TableName,
        KeyConditionExpression: 'board_channel = :release AND begins_with(version, :by)',
        ExpressionAttributeValues: { ':release': releasePartition(release), ':by': `by#${by}#` },
        ExclusiveStartKey: from,
      });
      for (const item of items) {
        const entry = readEntry(item);
        const known = sums.get(entry.value);
        sums.set(entry.value, known === undefined ? entry : added(known, entry));
      }
      if (last === undefined) break;
      from = last;
    }
    return [...sums.values()];
  };

  return {
    /** Retries from fresh reads while other changes get in between. */
    whileOvertaken: createWhileOvertaken(randomness),
    readProgress,

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
      const shard = shardOf(report.hwId);
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
        ...(Object.keys(plan.counts).length === 0
          ? []
          : [countAction(release, `count#${shard}`, { ...plan.counts }, {})]),
        ...plan.breakdowns.map(({ by, value, ending }) =>
          countAction(release, `by#${by}#${value}#${shard}`, { [ending]: 1 }, { by, value }),
        ),
      ];
      return (await transactWrite(documents, randomness, actions)).committed;
    },

    /** Records, once, that a device has asked since the release was published. */
    async markReached(release: ReleaseId, hwId: HwId, known: DeviceProgress, now: number): Promise<void> {
      const next = { ...known, revision: known.revision + 1, isReached: true };
      // If another write to the device's progress comes first, that one records this as well.
      await transactWrite(documents, randomness, [
        progressAction(release, hwId, known.revision, next, { last_at: isoTime(now) }),
        countAction(release, `count#${shardOf(hwId)}`, { reached: 1 }, {}),
      ]);
    },

    /** Lets a device try again after too many failures. @returns false when another change came in between */
    async lift(release: ReleaseId, hwId: HwId, known: DeviceProgress, now: number): Promise<boolean> {
      const next = { ...known, revision: known.revision + 1, failuresInRow: 0, blockedUntil: null };
      const lifted = progressAction(release, hwId, known.revision, next, { lifted_at: isoTime(now) });
      return (await transactWrite(documents, randomness, [lifted])).committed;
    },

    /** Adds up the kept counts, including everything committed before. */
    async readCounts(release: ReleaseId): Promise<Counts> {
      const { Items: items } = await (await documents()).query({
        TableName,
        KeyConditionExpression: 'board_channel = :release AND begins_with(version, :count)',
        ExpressionAttributeValues: { ':release': releasePartition(release), ':count': 'count#' },
        ConsistentRead: true,
      });
      const sums: Record<Counter, number> = { ...NO_COUNTS };
      for (const shard of items) for (const counter of COUNTERS) sums[counter] += readCount(shard[counter]);
      return sums;
    },

    /** Endings by error code, phone model and hour. Each kind has its own read limit. */
    async readBreakdown(release: ReleaseId): Promise<readonly BreakdownEntry[]> {
      return (await Promise.all(BREAKDOWNS.map((by) => readEndings(release, by)))).flat();
    },
  };
}

export type ProgressStore = ReturnType<typeof createProgressStore>;

function added(a: BreakdownEntry, b: BreakdownEntry): BreakdownEntry {
  return {
    ...a,
    confirmed: a.confirmed + b.confirmed,
    failures: a.failures + b.failures,
    interrupted: a.interrupted + b.interrupted,
  };
}

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

function shardOf(hwId: HwId): string {
  const byte = createHash('sha256').update(hwId).digest()[0] ?? 0;
  return String(byte % SHARDS).padStart(2, '0');
}
