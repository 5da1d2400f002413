import { createHash } from 'node:crypto';
import type { ReleaseVersion } from '@autowatering/release-format';
import type { TransactItems } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import type { HwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { type Fields, fields, number, oneOf, type Shape, text, withDefault } from '../../platform/shapes.ts';
import type { Track } from '../registry/release.ts';
import { releasePartition } from '../registry/store.ts';
import { SCHEMA } from '../registry/stored-release.ts';
import { BREAKDOWNS, type Breakdown, COUNTERS, type Counter, type ReportPlan } from './report-plan.ts';

/** Transactions on one item conflict, so a release's counts are spread over several and added up by one query. */
const SHARDS = 16;
/** More than the phone models, error codes and hours of any release; the breakdown leaves out the rest. */
const MOST_BREAKDOWN_PAGES = 4;

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

export type ReleaseId = Track & { readonly version: ReleaseVersion };
export type Counts = Readonly<Record<Counter, number>>;

type Action = TransactItems[number];

/** The kept counts of releases: how many devices came how far, and endings by error code, phone model and hour. */
export function createReleaseCounts({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.otaReleases;
  const countAction = (release: ReleaseId, record: string, add: Record<string, number>, set: object): Action => {
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
    /** The actions that count what a report of the device changes; none if it changes no count. */
    countActions(release: ReleaseId, hwId: HwId, { counts, breakdowns }: Counted): readonly Action[] {
      const shard = shardOf(hwId);
      return [
        ...(Object.keys(counts).length === 0 ? [] : [countAction(release, `count#${shard}`, { ...counts }, {})]),
        ...breakdowns.map(({ by, value, ending }) =>
          countAction(release, `by#${by}#${value}#${shard}`, { [ending]: 1 }, { by, value }),
        ),
      ];
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

type Counted = Pick<ReportPlan, 'counts' | 'breakdowns'>;

function added(a: BreakdownEntry, b: BreakdownEntry): BreakdownEntry {
  return {
    ...a,
    confirmed: a.confirmed + b.confirmed,
    failures: a.failures + b.failures,
    interrupted: a.interrupted + b.interrupted,
  };
}

function shardOf(hwId: HwId): string {
  const byte = createHash('sha256').update(hwId).digest()[0] ?? 0;
  return String(byte % SHARDS).padStart(2, '0');
}
