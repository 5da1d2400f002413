import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { accountPartition } from './table-keys.ts';

export interface ItemsQuery {
  /** What their record begins with. */
  readonly prefix: string;
  /** Eventually consistent reads, which may miss what happened a moment ago, cost half. */
  readonly mayBeStale?: boolean;
}

/** The items of one kind in an account's partition, however many pages they are. */
export async function* itemsOfAccount(
  { config, documents }: Pick<Services, 'config' | 'documents'>,
  uid: Uid,
  { prefix, mayBeStale = false }: ItemsQuery,
): AsyncGenerator<Record<string, unknown>, void> {
  const client = await documents();
  let from: Record<string, unknown> | undefined;
  do {
    const page = await client.query({
      TableName: config.tables.relay,
      KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
      ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
      ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': prefix },
      ConsistentRead: !mayBeStale,
      ExclusiveStartKey: from,
    });
    yield* page.Items;
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
}
