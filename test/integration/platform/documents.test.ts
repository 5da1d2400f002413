import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { fromAttributes } from '../../../src/platform/aws/attribute-values.ts';
import type { DocumentClient } from '../../../src/platform/aws/documents.ts';
import { createDocuments, failedCondition } from '../../../src/platform/aws/dynamo.ts';
import { systemRandomness } from '../../../src/platform/ids.ts';
import { LOCAL_REGION } from '../../../tools/run/local-stack/cognito/cognito-local.ts';
import { createTables, localDynamoDb } from '../../../tools/run/local-stack/dynamodb/tables.ts';
import { LOCAL_ACCESS_KEY } from '../../../tools/run/local-stack/engines.ts';
import { readAll, type StandIn, startStandIn } from '../../../tools/run/local-stack/stand-in-server.ts';
import { recordingLog } from '../../support/recorders.ts';
import { isThorough } from '../../support/thorough.ts';

/** What our client and the AWS SDK's have in common; ours promises more of its answers. */
type Client = { [Name in keyof DocumentClient]: (input: Parameters<DocumentClient[Name]>[0]) => Promise<object> };

interface Pair {
  readonly ours: Client;
  readonly sdk: Client;
}

interface Sent {
  readonly target: unknown;
  readonly type: unknown;
  readonly body: Record<string, unknown>;
}

const [OURS, SDKS] = [`autowatering-users-o${process.pid}`, `autowatering-users-s${process.pid}`];
let recorder: StandIn;
let sent: Sent[] = [];
let real: Pair;
let recorded: Pair;

beforeAll(async () => {
  process.env['AWS_ACCESS_KEY_ID'] ??= LOCAL_ACCESS_KEY.id;
  process.env['AWS_SECRET_ACCESS_KEY'] ??= LOCAL_ACCESS_KEY.secret;
  recorder = await startStandIn(async (request, response) => {
    const { ClientRequestToken: _token, ...body } = JSON.parse((await readAll(request)).toString('utf8'));
    sent.push({ target: request.headers['x-amz-target'], type: request.headers['content-type'], body });
    response.writeHead(200, { 'Content-Type': 'application/x-amz-json-1.0' }).end('{}');
  }, undefined);
  const url = inject('dynamoDbUrl');
  for (const environment of ['o', 's']) {
    await createTables(localDynamoDb(url, LOCAL_REGION), `${environment}${process.pid}`);
  }
  real = await clientsOf(url);
  recorded = await clientsOf(recorder.url);
});
afterAll(() => recorder.stop());

async function clientsOf(url: string): Promise<Pair> {
  const config = { region: LOCAL_REGION, dynamoDbTimeoutMs: 10_000 };
  const ours = await createDocuments(config, { AWS_ENDPOINT_URL: url }, recordingLog(), systemRandomness);
  const marshallOptions = { removeUndefinedValues: true };
  return { ours, sdk: DynamoDBDocument.from(localDynamoDb(url, LOCAL_REGION), { marshallOptions }) };
}

const key = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => text !== '__proto__');
const attribute = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('', '\u0000', '𝒳 żółć 🌱', '\ud800'),
    fc
      .double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 })
      .map((n) => (Math.abs(n) < 1e-100 ? 0 : Number(n.toPrecision(15)))),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(10n ** 37n), max: 10n ** 37n }),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => Buffer.from(bytes)),
    fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 }).map((list) => new Set(list)),
    fc.uniqueArray(fc.integer(), { minLength: 1, maxLength: 4 }).map((list) => new Set(list)),
    fc
      .uniqueArray(fc.bigInt({ min: 2n ** 60n, max: 2n ** 70n }), { minLength: 1, maxLength: 3 })
      .map((l) => new Set(l)),
    fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => new Set([bytes])),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 3 }).map((fields) => new Map(Object.entries(fields))),
  ),
})).value;
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 10 })
  .filter((text) => !['uid', 'record', '__proto__'].includes(text));
const document = fc.dictionary(name, attribute, { maxKeys: 6 });

type Call = (client: Client, TableName: string) => Promise<object>;

/** Every operation, with the given document wherever one can stand. */
function callsWith(item: Record<string, unknown>, value: unknown): readonly Call[] {
  const Key = { uid: 'u', record: 'r' };
  const Item = { ...item, ...Key };
  const names = { '#v': 'v' };
  const values = { ':v': value ?? null };
  const check = { ConditionExpression: '#v <> :v', ExpressionAttributeNames: names, ExpressionAttributeValues: values };
  const UpdateExpression = 'SET #v = :v';
  const onFailure = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  return [
    (client, TableName) => client.put({ TableName, Item, ReturnValues: 'ALL_OLD' }),
    (client, TableName) => client.get({ TableName, Key, ConsistentRead: true }),
    (client, TableName) => client.get({ TableName, Key: { ...Key, record: 'none' } }),
    (client, TableName) =>
      client.update({
        ...{ TableName, Key, UpdateExpression, ReturnValues: 'ALL_NEW' },
        ...{ ExpressionAttributeNames: names, ExpressionAttributeValues: values },
      }),
    (client, TableName) => client.update({ TableName, Key, UpdateExpression, ...check, ...onFailure }),
    (client, TableName) => client.put({ TableName, Item, ...check }),
    (client, TableName) =>
      client.query({
        ...{ TableName, KeyConditionExpression: 'uid = :u', ExpressionAttributeValues: { ':u': 'u' }, Limit: 1 },
        ExclusiveStartKey: { uid: 'u', record: 'a' },
      }),
    (client, TableName) =>
      client.query({ TableName, KeyConditionExpression: 'uid = :u', ExpressionAttributeValues: { ':u': 'nobody' } }),
    (client, TableName) =>
      client.batchGet({ RequestItems: { [TableName]: { Keys: [Key, { uid: 'u', record: 'none' }] } } }),
    (client, TableName) =>
      client.transactWrite({
        TransactItems: [
          { Put: { TableName, Item: { ...Item, record: 'r2' } } },
          { Delete: { TableName, Key: { ...Key, record: 'r3' } } },
          { Update: { TableName, Key, UpdateExpression, ...check, ...onFailure } },
          {
            ConditionCheck: {
              TableName,
              Key: { uid: 'x', record: 'y' },
              ConditionExpression: 'attribute_not_exists(uid)',
            },
          },
        ],
      }),
    (client, TableName) =>
      client.transactWrite({ TransactItems: [{ Put: { TableName, Item: { ...Item, record: 'r2' } } }] }),
    (client, TableName) => client.update({ TableName, Key, UpdateExpression: 'SET nonsense' }),
    (client, TableName) => client.get({ TableName, Key: { uid: 'u' } }),
    (client, TableName) => client.get({ TableName: `${TableName}-none`, Key }),
    (client, TableName) => client.delete({ TableName, Key, ReturnValues: 'ALL_OLD' }),
  ];
}

/** What a call came to, without the table's name and what belongs to the exchange. */
async function outcomeOf(call: Call, client: Client, table: string): Promise<unknown> {
  try {
    const {
      $metadata: _metadata,
      ScannedCount: _scanned,
      ...answer
    }: Record<string, unknown> = {
      ...(await call(client, table)),
    };
    const { Responses: found } = answer;
    return found instanceof Object
      ? { ...answer, Responses: Object.entries(found).map(([name, items]) => [name === table, items]) }
      : answer;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reasons = 'CancellationReasons' in error ? error.CancellationReasons : undefined;
    return {
      name: error.name,
      message: error.message.replaceAll(table, 'table'),
      reasons: Array.isArray(reasons)
        ? reasons.map(({ Item, ...reason }) => ({ ...reason, item: fromAttributes(Item) }))
        : undefined,
      item: failedCondition(error)?.item,
    };
  }
}

describe('the client of the tables', () => {
  it('sends what the AWS SDK sends, whatever the documents', async () => {
    await fc.assert(
      fc.asyncProperty(document, attribute, async (item, value) => {
        for (const call of callsWith(item, value)) {
          const requests: Sent[] = [];
          for (const client of [recorded.ours, recorded.sdk]) {
            sent = [];
            await call(client, 'a-table');
            requests.push(...sent);
          }
          expect(requests).toHaveLength(2);
          expect(requests[0]).toEqual(requests[1]);
        }
      }),
      { numRuns: isThorough ? 100 : 20 },
    );
  });

  it('answers, refuses and explains as the AWS SDK does, whatever the documents', async () => {
    await fc.assert(
      fc.asyncProperty(document, attribute, async (item, value) => {
        for (const call of callsWith(item, value)) {
          const ours = await outcomeOf(call, real.ours, OURS);
          const sdks = await outcomeOf(call, real.sdk, SDKS);
          expect(ours).toEqual(sdks);
        }
      }),
      { numRuns: isThorough ? 100 : 15 },
    );
  });

  it.each([
    ['NaN', Number.NaN],
    ['a number that is not precise', 2 ** 60],
    ['an empty set', new Set()],
    ['a date', new Date()],
  ])('refuses %s like the AWS SDK, before it sends anything', async (_what, value) => {
    sent = [];
    const Item = { uid: 'u', record: 'r', value };
    for (const client of [recorded.ours, recorded.sdk]) {
      await expect(client.put({ TableName: 'a-table', Item })).rejects.toThrow(Error);
    }
    expect(sent).toEqual([]);
  });
});
