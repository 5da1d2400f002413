import { DynamoDB } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { readTemplate } from './template.ts';

const Key = z.object({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) });
const TableProperties = z.object({
  TableName: z.object({ '!Sub': z.string() }),
  AttributeDefinitions: z.array(z.object({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  KeySchema: z.array(Key),
  GlobalSecondaryIndexes: z
    .array(
      z.object({
        IndexName: z.string(),
        KeySchema: z.array(Key),
        Projection: z.object({ ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']) }),
      }),
    )
    .optional(),
  TimeToLiveSpecification: z.object({ AttributeName: z.string(), Enabled: z.boolean() }).optional(),
});

/** Makes the tables of one environment as template.yaml describes them; those that exist keep what they hold. */
export async function createTables(client: DynamoDB, environment: string): Promise<void> {
  const { Resources: resources } = await readTemplate();
  const tables = Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::DynamoDB::Table')
    .map(({ Properties }) => TableProperties.parse(Properties));
  const { TableNames: existing = [] } = await client.listTables({});
  await Promise.all(
    tables.map(
      async ({ TableName: name, TimeToLiveSpecification: ttl, GlobalSecondaryIndexes: indexes, ...schema }) => {
        const TableName = name['!Sub'].replace(/\$\{Environment\}/, environment);
        if (existing.includes(TableName)) {
          await addMissingIndexes(client, TableName, schema.AttributeDefinitions, indexes ?? []);
          return;
        }
        await client.createTable({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          ...schema,
          ...(indexes === undefined ? {} : { GlobalSecondaryIndexes: indexes }),
        });
        if (ttl !== undefined) await client.updateTimeToLive({ TableName, TimeToLiveSpecification: ttl });
      },
    ),
  );
}

type Index = NonNullable<z.output<typeof TableProperties>['GlobalSecondaryIndexes']>[number];

/** A table of an earlier run gets the indexes that have come since then, one at a time, as DynamoDB wants it. */
async function addMissingIndexes(
  client: DynamoDB,
  TableName: string,
  AttributeDefinitions: z.output<typeof TableProperties>['AttributeDefinitions'],
  indexes: readonly Index[],
): Promise<void> {
  const { Table: table } = await client.describeTable({ TableName });
  const known = new Set(table?.GlobalSecondaryIndexes?.map(({ IndexName: name }) => name));
  for (const index of indexes.filter(({ IndexName: name }) => !known.has(name))) {
    await client.updateTable({ TableName, AttributeDefinitions, GlobalSecondaryIndexUpdates: [{ Create: index }] });
  }
}

export function localDynamoDb(endpoint: string, region: string): DynamoDB {
  return new DynamoDB({ endpoint, region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });
}
