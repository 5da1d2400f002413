import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import type { HwId, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, listOf, number, textThat } from '../../platform/shapes.ts';
import { shardOf } from './archive-keys.ts';
import { accountPseudonym, isPseudonym, type Pseudonym } from './pseudonym.ts';

/** An account whose rows have to leave the archive. */
export interface Erasure {
  readonly pseudonym: Pseudonym;
  /** Where its devices are. */
  readonly shards: readonly number[];
  readonly requestedAt: number;
}

const SCHEMA = 1;
const PARTITION = 'archive-erasures';

const readStored = fields({
  record: textThat(isPseudonym, 'a pseudonym'),
  shards: listOf(number),
  requested_at: number,
});

/** The list of accounts that the archive has still to forget. Names nobody. */
export function createErasures({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;

  return {
    /** Asks for an account's erasure, of these devices and those that were asked for before. */
    async request(uid: Uid, hwIds: readonly HwId[], now: number): Promise<void> {
      if (hwIds.length === 0) return;
      await (await documents()).update({
        TableName,
        Key: { partition: PARTITION, record: accountPseudonym(uid) },
        UpdateExpression: 'SET requested_at = :now, #schema = :schema ADD #shards :shards',
        ExpressionAttributeNames: { '#schema': 'schema', '#shards': 'shards' },
        ExpressionAttributeValues: { ':now': now, ':schema': SCHEMA, ':shards': new Set(hwIds.map(shardOf)) },
      });
    },

    /** What is to be erased, the first page of it: the rest comes when that is done. */
    async list(): Promise<readonly Erasure[]> {
      const { Items: items } = await (await documents()).query({
        TableName,
        KeyConditionExpression: '#partition = :partition',
        ExpressionAttributeNames: { '#partition': 'partition' },
        ExpressionAttributeValues: { ':partition': PARTITION },
        ConsistentRead: true,
      });
      return items.map((item) => {
        const {
          record: pseudonym,
          requested_at: requestedAt,
          shards,
        } = readStored({
          ...item,
          shards: item['shards'] instanceof Set ? [...item['shards']] : [],
        });
        return { pseudonym, shards, requestedAt };
      });
    },

    /** Strikes it off the list, unless it was asked for again meanwhile. */
    async finish({ pseudonym, requestedAt }: Erasure): Promise<void> {
      await wasConditionMet(async () =>
        (await documents()).delete({
          TableName,
          Key: { partition: PARTITION, record: pseudonym },
          ConditionExpression: 'requested_at = :requested',
          ExpressionAttributeValues: { ':requested': requestedAt },
        }),
      );
    },
  };
}

export type Erasures = ReturnType<typeof createErasures>;
