import pMap from 'p-map';
import type { DocumentClient } from '../documents.ts';

const ITEMS_AT_ONCE = 500;
const DELETIONS_AT_ONCE = 25;

export interface RemovedPartition {
  readonly TableName: string;
  readonly partition: string;
  /** Only the items whose record begins with it. */
  readonly prefix?: string;
  /** Asked before each page. */
  readonly isTimeUp?: () => boolean;
}

/**
 * Removes all items of a partition, in a table whose keys are `partition` and `record`. Can be repeated after a failure.
 *
 * @returns false when the time was up before everything was removed
 */
export async function removePartition(
  client: DocumentClient,
  { TableName, partition, prefix, isTimeUp = () => false }: RemovedPartition,
): Promise<boolean> {
  for (;;) {
    const { Items: items } = await client.query({
      TableName,
      KeyConditionExpression: `#partition = :partition${prefix === undefined ? '' : ' AND begins_with(#record, :prefix)'}`,
      ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
      ExpressionAttributeValues: { ':partition': partition, ...(prefix !== undefined && { ':prefix': prefix }) },
      ProjectionExpression: '#record',
      ConsistentRead: true,
      Limit: ITEMS_AT_ONCE,
    });
    if (items.length === 0) return true;
    if (isTimeUp()) return false;
    await pMap(items, ({ record }) => client.delete({ TableName, Key: { partition, record } }), {
      concurrency: DELETIONS_AT_ONCE,
    });
  }
}
