import { paginateScan } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { TablePlace } from '../../cli/target/place.ts';

/** Counts accounts last used before a day like `2026-11-21`. Removing them is up to the operator of the service. */
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
