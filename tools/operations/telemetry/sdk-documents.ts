import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import type { DocumentClient } from '../../../src/platform/aws/documents.ts';

/** The AWS SDK's client for what is read and written by the backend's own code. */
export function sdkDocuments(client: Parameters<typeof DynamoDBDocument.from>[0]): DocumentClient {
  const sdk = DynamoDBDocument.from(client);
  return {
    get: (input, options) => sdk.get(input, options),
    put: (input, options) => sdk.put(input, options),
    update: (input, options) => sdk.update(input, options),
    delete: (input, options) => sdk.delete(input, options),
    async query(input, options) {
      const { Items: items = [], Count: count = 0, LastEvaluatedKey: last } = await sdk.query(input, options);
      return { Items: items, Count: count, LastEvaluatedKey: last };
    },
    async batchGet(input, options) {
      const { Responses: found = {}, UnprocessedKeys: left = {} } = await sdk.batchGet(input, options);
      const unread = Object.entries(left).map(([table, { Keys: keys = [] }]) => [table, { Keys: keys }] as const);
      return { Responses: found, UnprocessedKeys: Object.fromEntries(unread) };
    },
    transactWrite: (input, options) => sdk.transactWrite(input, options),
  };
}
