import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LOCAL_REGION } from '../../../tools/run/local-stack/cognito/cognito-local.ts';
import { type DynamoDbLocal, startDynamoDb } from '../../../tools/run/local-stack/dynamodb/dynamodb-local.ts';
import { createTables, localDynamoDb } from '../../../tools/run/local-stack/dynamodb/tables.ts';

// An engine of its own: the shared one is too busy to fill indexes in time.
let directory: string;
let engine: DynamoDbLocal;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'autowatering-tables-'));
  engine = await startDynamoDb({ logFile: path.join(directory, 'dynamodb.log') }, new AbortController().signal);
});
afterAll(async () => {
  await engine.child.stop();
  await rm(directory, { recursive: true, force: true });
});

it('an existing table gets new indexes and keeps its data', async () => {
  const client = localDynamoDb(engine.url, LOCAL_REGION);
  const environment = `t${randomBytes(6).toString('hex')}`;
  const TableName = `autowatering-provisioning-${environment}`;
  await client.createTable({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'hw_id', AttributeType: 'S' },
      { AttributeName: 'record', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'hw_id', KeyType: 'HASH' },
      { AttributeName: 'record', KeyType: 'RANGE' },
    ],
  });
  const item = {
    hw_id: { S: 'AABBCCDD' },
    record: { S: 'device' },
    fleet_status: { S: 'active' },
    serial_seq: { N: '7' },
  };
  await client.putItem({ TableName, Item: item });
  await createTables(client, environment);
  await createTables(client, environment);
  const found = await client.query({
    TableName,
    IndexName: 'status-index',
    KeyConditionExpression: 'fleet_status = :active',
    ExpressionAttributeValues: { ':active': { S: 'active' } },
  });
  expect(found.Items).toMatchObject([{ hw_id: { S: 'AABBCCDD' } }]);
}, 90_000);
