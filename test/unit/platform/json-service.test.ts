import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDocumentClient } from '../../../src/platform/aws/documents.ts';
import { createJsonService, type JsonServiceOptions } from '../../../src/platform/aws/json/json-service.ts';
import { serviceEndpoint } from '../../../src/platform/aws/json/service-endpoint.ts';
import { readAll, type StandIn, startStandIn } from '../../../tools/run/local-stack/stand-in-server.ts';

interface Seen {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Record<string, unknown>;
  readonly port: number | undefined;
}
type Reply = { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string };

let service: StandIn;
let seen: Seen[];
let replies: Reply[];

beforeEach(async () => {
  seen = [];
  replies = [];
  service = await startStandIn(async (request, response) => {
    const body = JSON.parse((await readAll(request)).toString('utf8'));
    seen.push({ headers: request.headers, body, port: request.socket.remotePort });
    const { status = 200, headers = {}, body: reply = '{}' } = replies.shift() ?? {};
    response.writeHead(status, headers).end(reply);
  }, undefined);
});
afterEach(() => service.stop());

const client = (changes: Partial<JsonServiceOptions> = {}) =>
  createJsonService({
    dependency: 'DynamoDB',
    spanName: 'DynamoDB',
    signingName: 'dynamodb',
    targetPrefix: 'DynamoDB_20120810',
    jsonVersion: '1.0',
    endpoint: new URL(service.url),
    region: 'eu-central-1',
    limits: { connectMs: 1_000, silentMs: 1_000 },
    credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'token/+=' }),
    randomness: { fraction: () => 0 },
    ...changes,
  });
const failure = (name: string, status = 400, more: object = {}): Reply => ({
  status,
  body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'no', ...more }),
});
const UNAVAILABLE = { name: 'DependencyUnavailableError', dependency: 'DynamoDB' };

describe('a call', () => {
  it('names its operation and carries its signature and session token', async () => {
    await client().call('GetItem', { TableName: 'grün' });
    expect(seen).toMatchObject([
      {
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'DynamoDB_20120810.GetItem',
          'x-amz-security-token': 'token/+=',
          host: new URL(service.url).host,
          authorization: expect.stringMatching(
            /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-central-1\/dynamodb\/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=[0-9a-f]{64}$/,
          ),
        },
        body: { TableName: 'grün' },
      },
    ]);
  });

  it('asks for credentials each time, since they may have been renewed', async () => {
    let renewals = 0;
    const { call } = client({
      credentials: async () => {
        renewals += 1;
        return { accessKeyId: `AKID${renewals}`, secretAccessKey: `secret${renewals}` };
      },
    });
    await call('GetItem', {});
    await call('GetItem', {});
    expect(seen.map(({ headers }) => String(headers['authorization']).slice(17, 33))).toEqual([
      'Credential=AKID1',
      'Credential=AKID2',
    ]);
    expect(seen[0]?.headers).not.toHaveProperty('x-amz-security-token');
  });

  it('uses the connection of an earlier one again', async () => {
    const { call } = client();
    for (let calls = 0; calls < 5; calls += 1) await call('GetItem', {});
    expect(new Set(seen.map(({ port }) => port)).size).toBe(1);
  });

  it.each([
    ['is throttled', failure('ProvisionedThroughputExceededException')],
    ['is throttled by rate', failure('ThrottlingException')],
    ['fails inside', failure('InternalServerError', 500)],
    ['is away', { status: 503, body: '<html>' }],
    ['arrives damaged', { headers: { 'x-amz-crc32': '1' } }],
    ['is answered by something else', { body: '<html>' }],
  ])('that %s is sent three times, signed anew', async (_what, reply) => {
    replies = [reply, reply];
    await expect(client().call('GetItem', {})).resolves.toEqual({});
    expect(seen).toHaveLength(3);
    replies = [reply, reply, reply];
    await expect(client().call('GetItem', {})).rejects.toMatchObject(UNAVAILABLE);
    expect(seen).toHaveLength(6);
  });

  it('is repeated when it was frozen between being signed and being sent', async () => {
    replies = [failure('InvalidSignatureException', 400, { message: 'Signature expired: 20260101T000000Z is now …' })];
    await expect(client().call('GetItem', {})).resolves.toEqual({});
  });

  it.each([
    ['ends its connection', { drop: true }],
    ['stops in the middle of its answer', { half: true }],
  ])('is repeated when the service %s', async (_what, fault) => {
    service.setFaults([{ ...fault, times: 2 }]);
    await expect(client().call('GetItem', {})).resolves.toEqual({});
    expect(service.faultsMet()).toBe(2);
    service.setFaults([fault]);
    await expect(client().call('GetItem', {})).rejects.toMatchObject(UNAVAILABLE);
  });

  it('is repeated when the service stays silent', async () => {
    service.setFaults([{ hang: true, times: 2 }]);
    const { call } = client({ limits: { connectMs: 1_000, silentMs: 60 } });
    await expect(call('GetItem', {})).resolves.toEqual({});
    expect(service.faultsMet()).toBe(2);
  });

  it('fails soon when nobody listens', async () => {
    await service.stop();
    await expect(client().call('GetItem', {})).rejects.toMatchObject(UNAVAILABLE);
    service = await startStandIn(async () => {}, undefined);
  });

  it('is not repeated when it is refused, and says why', async () => {
    const reasons = [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: { id: { S: 'a' } } }];
    replies = [failure('TransactionCanceledException', 400, { CancellationReasons: reasons })];
    await expect(client().call('TransactWriteItems', {})).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      message: 'no',
      CancellationReasons: reasons,
      $metadata: { httpStatusCode: 400 },
    });
    expect(seen).toHaveLength(1);
  });

  it('stops when its caller gives up', async () => {
    service.setFaults([{ hang: true }]);
    const hungUp = new Promise<void>((resolve) => service.onHangUp(resolve));
    const caller = new AbortController();
    const call = client().call('GetItem', {}, caller.signal);
    const outcome = expect(call).rejects.toThrow('enough');
    await vi.waitFor(() => expect(service.faultsMet()).toBe(1));
    caller.abort(new Error('enough'));
    await Promise.all([outcome, hungUp]);
    expect(service.faultsMet()).toBe(1);
  });

  it('accepts an answer that matches its checksum', async () => {
    const body = '{"Item":{"name":{"S":"Grünlilie 🌱"}}}';
    replies = [{ body, headers: { 'x-amz-crc32': String(crc32(body)) } }];
    expect(await createDocumentClient(client(), { id: () => 'x' }).get({ TableName: 't', Key: { id: 'a' } })).toEqual({
      Item: { name: 'Grünlilie 🌱' },
    });
  });
});

describe('a transaction', () => {
  it('keeps its token when it is repeated, so that it can not happen twice', async () => {
    replies = [failure('InternalServerError', 500)];
    const tokens = ['token-1', 'token-2'];
    const documents = createDocumentClient(client(), { id: () => tokens.shift() ?? 'none left' });
    await documents.transactWrite({ TransactItems: [{ Put: { TableName: 't', Item: { id: 'a' } } }] });
    await documents.transactWrite({ TransactItems: [{ Put: { TableName: 't', Item: { id: 'b' } } }] });
    expect(seen.map(({ body }) => body['ClientRequestToken'])).toEqual(['token-1', 'token-1', 'token-2']);
  });
});

describe('the address of a service', () => {
  const dynamo = (env: Record<string, string>, region = 'eu-central-1') =>
    serviceEndpoint(env, { name: 'DYNAMODB', host: 'dynamodb', region }).href;

  it("is the region's", () => {
    expect(dynamo({})).toBe('https://dynamodb.eu-central-1.amazonaws.com/');
    expect(dynamo({}, 'cn-north-1')).toBe('https://dynamodb.cn-north-1.amazonaws.com.cn/');
  });

  it("is the one in AWS's own variables, the service's before the common one", () => {
    expect(dynamo({ AWS_ENDPOINT_URL: 'http://localhost:1' })).toBe('http://localhost:1/');
    const both = { AWS_ENDPOINT_URL: 'http://localhost:1', AWS_ENDPOINT_URL_DYNAMODB: 'http://localhost:2' };
    expect(dynamo(both)).toBe('http://localhost:2/');
  });
});
