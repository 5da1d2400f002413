import { ttlSeconds } from '../../platform/clock.ts';
import { type HwId, isHwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { DeviceState } from '../store/device-state.ts';

const DAY_MS = 24 * 60 * 60_000;
const WEEK_MS = 7 * DAY_MS;
/** 1970-01-05, the first Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;
/** Longer than the longest silence that is looked for. */
const KEPT_MS = 70 * DAY_MS;
/** How far ahead of ours a phone's clock is believed. */
const PHONE_AHEAD_MS = 5 * 60_000;
const MOST_NOTED = 10_000;
const SCHEMA = 1;

/** A day in UTC, such as `2026-06-01`. */
export function utcDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The Monday (UTC) that a moment's week began with, in milliseconds since 1970. */
export function weekOf(ms: number): number {
  return Math.floor((ms - FIRST_MONDAY_MS) / WEEK_MS) * WEEK_MS + FIRST_MONDAY_MS;
}

const partitionOf = (ms: number) => `telemetry-uploads#${utcDay(weekOf(ms))}`;

export interface HeardPage {
  readonly hwIds: readonly HwId[];
  /** Where the next page begins; undefined after the last one. */
  readonly next?: HwId;
}

/**
 * Which devices sent anything in which week (of receipt, from Monday, UTC): so that work by time finds them without a scan.
 * One small item per device and week, without its owner, who may change.
 */
export function createUploadWeeks({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;
  /** Cache: what was noted lately. A phone that uploads what it read weeks ago would have it noted each time. */
  const noted = new Set<string>();
  return {
    /** Notes that a device was heard of; with the first upload of a week only. Can be repeated. */
    async note(hwId: HwId, before: Pick<DeviceState, 'heardAt'> | undefined, now: number): Promise<void> {
      // Who was heard of this week has sent something this week, unless a phone's clock was ahead just before it began.
      if (before !== undefined && weekOf(before.heardAt - PHONE_AHEAD_MS) === weekOf(now)) return;
      const name = `${weekOf(now)} ${hwId}`;
      if (noted.has(name)) return;
      await (await documents()).put({
        TableName,
        Item: {
          ...{ partition: partitionOf(now), record: hwId, schema: SCHEMA },
          expires_at: ttlSeconds(weekOf(now) + KEPT_MS),
        },
      });
      if (noted.size >= MOST_NOTED) noted.clear();
      noted.add(name);
    },

    /** The devices heard of in a moment's week, page by page. */
    async page(at: number, limit: number, after: HwId | undefined): Promise<HeardPage> {
      const partition = partitionOf(at);
      const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
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
