import { setTimeout as delay } from 'node:timers/promises';
import { DynamoDB } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';
import { readTemplate } from '../../../build/template/template.ts';
import { PlainError } from '../../../cli/plain-error.ts';

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

/** Cached: the template does not change during a process, and tests create tables very often. */
let described: Promise<readonly z.output<typeof TableProperties>[]> | undefined;

async function readTables(): Promise<readonly z.output<typeof TableProperties>[]> {
  const { Resources: resources } = await readTemplate();
  return Object.values(resources)
    .filter(({ Type }) => Type === 'AWS::DynamoDB::Table')
    .map(({ Properties }) => TableProperties.parse(Properties));
}

/** Creates an environment's tables as defined in template.yaml. Existing tables keep their data. */
export async function createTables(client: DynamoDB, environment: string): Promise<void> {
  described ??= readTables();
  await Promise.all(
    (await described).map(
      async ({ TableName: name, TimeToLiveSpecification: ttl, GlobalSecondaryIndexes: indexes, ...schema }) => {
        const TableName = name['!Sub'].replace(/\$\{Environment\}/, environment);
        const known = await knownIndexes(client, TableName);
        if (known !== undefined) {
          const missing = indexes?.filter(({ IndexName: index }) => !known.includes(index)) ?? [];
          await addIndexes(client, TableName, schema.AttributeDefinitions, missing);
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

/** Returns the names of a table's indexes; undefined if there is no such table. */
async function knownIndexes(client: DynamoDB, TableName: string): Promise<readonly string[] | undefined> {
  try {
    const { Table: table } = await client.describeTable({ TableName });
    return (table?.GlobalSecondaryIndexes ?? []).flatMap(({ IndexName: name }) => (name === undefined ? [] : [name]));
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** Adds missing indexes to an existing table, one at a time, as DynamoDB requires. */
async function addIndexes(
  client: DynamoDB,
  TableName: string,
  AttributeDefinitions: z.output<typeof TableProperties>['AttributeDefinitions'],
  indexes: readonly Index[],
): Promise<void> {
  for (const index of indexes) {
    await client.updateTable({ TableName, AttributeDefinitions, GlobalSecondaryIndexUpdates: [{ Create: index }] });
    await untilActive(client, TableName);
  }
}

const INDEX_MS = 60_000;
const POLL_MS = 50;

/** Waits for an index, which DynamoDB fills in the background: only then can the next one be created. */
async function untilActive(client: DynamoDB, TableName: string): Promise<void> {
  const deadline = Date.now() + INDEX_MS;
  for (;;) {
    const { Table: table } = await client.describeTable({ TableName });
    if (table?.GlobalSecondaryIndexes?.every(({ IndexStatus: status }) => status === 'ACTIVE') === true) return;
    if (Date.now() > deadline)
      throw new PlainError(`An index of ${TableName} was not ready after ${INDEX_MS / 1000} s.`);
    await delay(POLL_MS);
  }
}

export function localDynamoDb(endpoint: string, region: string): DynamoDB {
  return new DynamoDB({ endpoint, region, credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });
}
