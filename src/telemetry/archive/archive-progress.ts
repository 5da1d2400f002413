import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import { type HwId, isHwId } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number, optional, text, textThat } from '../../platform/shapes.ts';
import { dayOf, startOfDay } from '../rows/periods.ts';
import { DAY_MS } from '../rows/row-layout.ts';

/** Where the archive goes on. */
export interface ArchivePlace {
  /** The day of receipt that is written, such as `2026-06-01`. */
  readonly day: string;
  readonly shard: number;
  /** Files of this shard's day that are written already. */
  readonly parts: number;
  /** The last device in them. */
  readonly after: HwId | undefined;
}

/** An erasure under way: accounts that were to be erased before it began, up to which file. */
export interface ErasingPlace {
  readonly startedAt: number;
  readonly afterKey: string | undefined;
}

const SCHEMA = 1;
const isId = textThat(isHwId, 'a hardware id');
const readPlace = fields({ day: text, shard: number, parts: number, after: optional(isId) });
const readErasing = fields({ started_at: number, after_key: optional(text) });

/** How far the archive is: two small items. Only one run writes them at a time; a run that lost its lease is refused. */
export function createArchiveProgress({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;
  const keyOf = (record: 'written' | 'erasing') => ({ partition: 'telemetry-archive', record });
  const read = async (record: 'written' | 'erasing') =>
    (await (await documents()).get({ TableName, Key: keyOf(record), ConsistentRead: true })).Item;

  return {
    async place(): Promise<ArchivePlace | undefined> {
      const item = await read('written');
      return item === undefined ? undefined : { after: undefined, ...readPlace(item) };
    },

    /** False if another run has moved on meanwhile. */
    async moveOn(from: ArchivePlace | undefined, to: ArchivePlace): Promise<boolean> {
      return wasConditionMet(async () =>
        (await documents()).put({
          TableName,
          Item: { ...keyOf('written'), ...to, schema: SCHEMA },
          ...(from === undefined
            ? {
                ConditionExpression: 'attribute_not_exists(#partition)',
                ExpressionAttributeNames: { '#partition': 'partition' },
              }
            : {
                ConditionExpression: '#day = :day AND #shard = :shard AND #parts = :parts',
                ExpressionAttributeNames: { '#day': 'day', '#shard': 'shard', '#parts': 'parts' },
                ExpressionAttributeValues: { ':day': from.day, ':shard': from.shard, ':parts': from.parts },
              }),
        }),
      );
    },

    async erasing(): Promise<ErasingPlace | undefined> {
      const item = await read('erasing');
      if (item === undefined) return undefined;
      const { started_at: startedAt, after_key: afterKey } = readErasing(item);
      return { startedAt, afterKey };
    },

    async eraseOn(place: ErasingPlace | undefined): Promise<void> {
      const client = await documents();
      if (place === undefined) {
        await client.delete({ TableName, Key: keyOf('erasing') });
        return;
      }
      const { startedAt, afterKey } = place;
      const after = afterKey === undefined ? {} : { after_key: afterKey };
      await client.put({
        TableName,
        Item: { ...keyOf('erasing'), started_at: startedAt, ...after, schema: SCHEMA },
      });
    },
  };
}

/** How many past days are not written yet, at a moment: 1 for a while after each midnight. */
export function daysBehind(known: ArchivePlace | undefined, now: number): number {
  return known === undefined ? 0 : Math.max(0, (startOfDay(dayOf(now)) - startOfDay(known.day)) / DAY_MS);
}

export type ArchiveProgress = ReturnType<typeof createArchiveProgress>;
