import { transactWrite } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import { type HwId, isHwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number, optional, text, textThat, withDefault } from '../../platform/shapes.ts';
import { addHealth, type HealthCounts, NO_HEALTH } from './device-day.ts';

const SCHEMA = 1;
const DAY_MS = 24 * 60 * 60_000;
const KEPT_MS = 400 * DAY_MS;
const HEALTH = 'telemetry-health';
const PROGRESS = { partition: 'telemetry-look', record: 'progress' };

/** How far the daily look at devices is. */
export interface LookProgress {
  /** Devices are looked at as they were at the end of this day, such as `2026-06-01`. */
  readonly day: string;
  /** 0: the devices heard of in that day's week; then those of as many weeks before. */
  readonly step: number;
  readonly after: HwId | undefined;
  readonly revision: number;
}

export interface VersionHealth {
  readonly board: string;
  readonly version: string;
  readonly counts: HealthCounts;
}

const ProgressItem = fields({
  day: text,
  step: number,
  after: optional(textThat(isHwId, 'a hardware id')),
  revision: number,
});
const count = withDefault(number, 0);
const HealthItem = fields({
  board: text,
  version: text,
  ...{ device_days: count, device_days_with_alarms: count, device_days_locked: count, alarms: count },
  ...{ reboots: count, days_unheard: count, sync_failures: count },
});

/** The fleet's health by day and firmware version: an item of each, added to page by page. */
export function createHealthStore({
  config,
  documents,
  randomness,
}: Pick<Services, 'config' | 'documents' | 'randomness'>) {
  const TableName = config.tables.garden;
  return {
    async progress(): Promise<LookProgress | undefined> {
      const { Item: item } = await (await documents()).get({ TableName, Key: PROGRESS, ConsistentRead: true });
      return item === undefined ? undefined : { after: undefined, ...ProgressItem(item) };
    },

    /**
     * Moves the progress on and adds what was counted, all or nothing: a look that dies in between counts nothing twice.
     *
     * @param counted at most one entry per board and version
     * @returns false if another look moved on meanwhile
     */
    async moveOn(next: Omit<LookProgress, 'revision'>, from: number, day: string, counted: readonly VersionHealth[]) {
      const { committed } = await transactWrite(documents, randomness, [
        {
          Put: {
            TableName,
            Item: {
              ...{ ...PROGRESS, day: next.day, step: next.step, revision: from + 1, schema: SCHEMA },
              ...(next.after === undefined ? {} : { after: next.after }),
            },
            ConditionExpression: from === 0 ? 'attribute_not_exists(#partition)' : '#revision = :revision',
            ExpressionAttributeNames: from === 0 ? { '#partition': 'partition' } : { '#revision': 'revision' },
            ...(from === 0 ? {} : { ExpressionAttributeValues: { ':revision': from } }),
          },
        },
        ...counted.map(({ board, version, counts }) => {
          const expires = ttlSeconds(Date.parse(`${day}T00:00:00Z`) + KEPT_MS);
          const change = updateExpression({
            add: counts,
            set: { board, version, expires_at: expires, schema: SCHEMA },
          });
          return {
            Update: {
              TableName,
              Key: { partition: HEALTH, record: `${day}#${board}#${version}` },
              UpdateExpression: change.UpdateExpression,
              ExpressionAttributeNames: change.names,
              ExpressionAttributeValues: change.values,
            },
          };
        }),
      ]);
      return committed;
    },

    /** The health by board and version from a day on: one query. */
    async since(firstDay: string): Promise<readonly VersionHealth[]> {
      const sums = new Map<string, VersionHealth>();
      let start: Record<string, unknown> | undefined;
      do {
        const page = await (await documents()).query({
          TableName,
          KeyConditionExpression: '#partition = :partition AND #record >= :first',
          ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
          ExpressionAttributeValues: { ':partition': HEALTH, ':first': firstDay },
          ExclusiveStartKey: start,
        });
        for (const item of page.Items) {
          const { board, version, ...counts } = HealthItem(item);
          const key = `${board}#${version}`;
          sums.set(key, { board, version, counts: addHealth(sums.get(key)?.counts ?? NO_HEALTH, counts) });
        }
        start = page.LastEvaluatedKey;
      } while (start !== undefined);
      return [...sums.values()].sort((one, other) => other.counts.device_days - one.counts.device_days);
    },
  };
}

export type HealthStore = ReturnType<typeof createHealthStore>;
