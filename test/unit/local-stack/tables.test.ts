import { randomBytes } from 'node:crypto';
import { expect, inject, it } from 'vitest';
import { LOCAL_REGION } from '../../../tools/local-stack/cognito-local.ts';
import { createTables, localDynamoDb } from '../../../tools/local-stack/tables.ts';

it('a table of an earlier run gets the indexes that have come since then, and keeps what it holds', async () => {
  const client = localDynamoDb(inject('dynamoDbUrl'), LOCAL_REGION);
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
});
