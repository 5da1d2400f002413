import { paginateScan } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { TablePlace } from '../../cli/target/place.ts';

/** How many accounts were last used before a day, `2026-11-21`. They are counted, never removed: that is the owner's. */
export async function countInactiveAccounts(place: TablePlace, before: string): Promise<number> {
  let found = 0;
  const pages = paginateScan(
    { client: place.dynamo },
    {
      TableName: place.tableName('users'),
      Select: 'COUNT',
      FilterExpression: '#record = :activity AND last_active_on < :before',
      ExpressionAttributeNames: { '#record': 'record' },
      ExpressionAttributeValues: marshall({ ':activity': 'activity', ':before': before }),
    },
  );
  for await (const { Count: count = 0 } of pages) found += count;
  return found;
}
