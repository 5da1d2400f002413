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

/** Makes the tables of one environment exactly as template.yaml describes them; those that exist are left alone. */
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
        if (existing.includes(TableName)) return;
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

export function localDynamoDb(endpoint: string, region: string): DynamoDB {
  return new DynamoDB({ endpoint, region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });
}
