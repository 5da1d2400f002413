import type { AttributeValue, KeySchemaElement } from '@aws-sdk/client-dynamodb';
import { localDynamoDb } from '../../tools/run/local-stack/dynamodb/tables.ts';
import { readAll, type StandIn, startStandIn } from '../../tools/run/local-stack/stand-in-server.ts';

type Items = readonly Record<string, AttributeValue>[];

export interface RecoverableDynamo extends StandIn {
  /** Marks the moment that a later restore of the table goes back to. */
  remember(table: string): Promise<void>;
  /** Enables point-in-time recovery. */
  protect(table: string): void;
  isProtected(table: string): boolean;
}

/** DynamoDB Local with simulated point-in-time recovery. */
export async function startRecoverableDynamo(target: string): Promise<RecoverableDynamo> {
  const client = localDynamoDb(target, 'eu-central-1');
  const remembered = new Map<string, { readonly items: Items; readonly keys: KeySchemaElement[] }>();
  const protectedTables = new Set<string>();

  const own: Readonly<Record<string, (body: Record<string, string>) => Promise<object>>> = {
    async DescribeContinuousBackups({ TableName: name = '' }) {
      const status = protectedTables.has(name) ? 'ENABLED' : 'DISABLED';
      const recovery = { PointInTimeRecoveryStatus: status };
      return {
        ContinuousBackupsDescription: {
          ContinuousBackupsStatus: 'ENABLED',
          PointInTimeRecoveryDescription: recovery,
        },
      };
    },
    async UpdateContinuousBackups({ TableName: name = '' }) {
      protectedTables.delete(name);
      return {};
    },
    async RestoreTableToPointInTime({ SourceTableName: source = '', TargetTableName: name = '' }) {
      const past = remembered.get(source);
      if (past === undefined) {
        return { __type: 'com.amazonaws.dynamodb.v20120810#PointInTimeRecoveryUnavailableException', message: 'off' };
      }
      await client.createTable({
        ...{ TableName: name, BillingMode: 'PAY_PER_REQUEST', KeySchema: past.keys },
        AttributeDefinitions: past.keys.map(({ AttributeName }) => ({ AttributeName, AttributeType: 'S' })),
      });
      for (const Item of past.items) await client.putItem({ TableName: name, Item });
      return { TableDescription: { TableName: name, TableStatus: 'CREATING' } };
    },
  };

  const standIn = await startStandIn(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const body = await readAll(request);
    const answer = await own[operation]?.(JSON.parse(body.toString('utf8')));
    if (answer !== undefined) {
      response.writeHead('__type' in answer ? 400 : 200, { 'Content-Type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify(answer));
      return;
    }
    const passed = await fetch(target, {
      method: 'POST',
      headers: {
        'x-amz-target': String(request.headers['x-amz-target']),
        authorization: String(request.headers.authorization),
        'x-amz-date': String(request.headers['x-amz-date']),
        'Content-Type': 'application/x-amz-json-1.0',
      },
      body: Buffer.from(body),
    });
    response.writeHead(passed.status, { 'Content-Type': 'application/x-amz-json-1.0' });
    response.end(Buffer.from(await passed.arrayBuffer()));
  }, undefined);

  return {
    ...standIn,
    async remember(table) {
      const { Items: items = [] } = await client.scan({ TableName: table });
      const { Table: described } = await client.describeTable({ TableName: table });
      remembered.set(table, { items, keys: described?.KeySchema ?? [] });
    },
    protect: (table) => protectedTables.add(table),
    isProtected: (table) => protectedTables.has(table),
  };
}
