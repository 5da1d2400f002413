import { ttlSeconds } from '../../platform/clock.ts';
import { type HwId, isHwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { DeviceState } from '../store/device-state.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Longer than the longest silence that is looked for. */
const KEPT_MS = 60 * DAY_MS;
/** How far ahead of ours a phone's clock is believed. */
const PHONE_AHEAD_MS = 5 * 60_000;
const SCHEMA = 1;

/** A day in UTC, such as `2026-06-01`. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

const partitionOf = (day: string) => `telemetry-uploads#${day}`;

export interface HeardPage {
  readonly hwIds: readonly HwId[];
  /** Where the next page begins; undefined after the last one. */
  readonly next?: HwId;
}

/**
 * Which devices sent anything on which day (of receipt, UTC): so that work by time finds them without a scan. One small item
 * per device and day, without its owner, who may change.
 */
export function createUploadDays({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;
  return {
    /** Notes that a device was heard of; with the first upload of a day only. Can be repeated. */
    async note(hwId: HwId, before: Pick<DeviceState, 'heardAt'> | undefined, now: number): Promise<void> {
      const day = utcDay(now);
      // Who was heard of today has sent something today, unless a phone whose clock is ahead did so just before midnight.
      if (before !== undefined && utcDay(before.heardAt - PHONE_AHEAD_MS) === day) return;
      await (await documents()).put({
        TableName,
        Item: {
          ...{ partition: partitionOf(day), record: hwId, schema: SCHEMA },
          expires_at: ttlSeconds(Date.parse(`${day}T00:00:00Z`) + KEPT_MS),
        },
      });
    },

    /** The devices heard of on a day, page by page. */
    async page(day: string, limit: number, after: HwId | undefined): Promise<HeardPage> {
      const partition = partitionOf(day);
      const { Items: items = [], LastEvaluatedKey: last } = await (await documents()).query({
        TableName,
        KeyConditionExpression: '#partition = :partition',
        ExpressionAttributeNames: { '#partition': 'partition' },
        ExpressionAttributeValues: { ':partition': partition },
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { partition, record: after } }),
      });
      const next: unknown = last?.['record'];
      return {
        hwIds: items.flatMap(({ record }) => (typeof record === 'string' && isHwId(record) ? [record] : [])),
        ...(typeof next === 'string' && isHwId(next) ? { next } : {}),
      };
    },
  };
}

export type UploadDays = ReturnType<typeof createUploadDays>;
