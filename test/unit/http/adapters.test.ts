import { describe, expect, it } from 'vitest';
import { fetchFrom } from '../../../src/http/adapters/fetch-adapter.ts';
import { createLambdaHandler, type GatewayEvent } from '../../../src/http/adapters/lambda-adapter.ts';
import type { IncomingRequest } from '../../../src/http/exchange.ts';

/** An app that keeps what it was asked. */
function listener() {
  const requests: IncomingRequest[] = [];
  return {
    requests,
    answer: async (request: IncomingRequest) => {
      requests.push(request);
      return { status: 204, headers: { 'x-one': '1' }, body: null };
    },
  };
}

const event: GatewayEvent = {
  rawPath: '/prod/ota/releases/1.0.0%2B7/download-url',
  rawQueryString: 'a=1&a=2&b=x+y&__proto__=z',
  headers: { host: 'api.example.com', 'x-forwarded-for': '198.51.100.7' },
  requestContext: {
    stage: 'prod',
    domainName: 'abc.execute-api.eu-central-1.amazonaws.com',
    http: { method: 'get', sourceIp: '203.0.113.9' },
  },
};

describe("the caller's address", () => {
  it('is the one that the gateway saw, never one that a client claims', async () => {
    const app = listener();
    await createLambdaHandler(app)(event);
    expect(app.requests[0]?.address).toBe('203.0.113.9');
  });

  it('is unknown without a server', async () => {
    const app = listener();
    await fetchFrom(app)(new Request('http://localhost/', { headers: { 'x-forwarded-for': '198.51.100.7' } }));
    expect(app.requests[0]?.address).toBe('unknown');
  });
});

describe('a gateway event', () => {
  it('is a request without its stage, whose parameters are still encoded', async () => {
    const app = listener();
    const result = await createLambdaHandler(app)(event);
    expect(result).toEqual({ statusCode: 204, headers: { 'x-one': '1' }, body: '', isBase64Encoded: false });
    expect(app.requests[0]).toMatchObject({
      method: 'GET',
      path: '/ota/releases/1.0.0%2B7/download-url',
      baseUrl: 'https://abc.execute-api.eu-central-1.amazonaws.com/prod',
    });
  });

  it('has headers by their names in any spelling', async () => {
    const app = listener();
    const headers = { 'Content-Type': 'application/json', AUTHORIZATION: 'Bearer x', host: 'api.example.com' };
    await createLambdaHandler(app)({ ...event, headers });
    const [request] = app.requests;
    expect(['content-type', 'authorization', 'host', 'x-none'].map((name) => request?.header(name))).toEqual([
      ...['application/json', 'Bearer x', 'api.example.com'],
      undefined,
    ]);
  });

  it('has the first value of each name in its query, whatever the name', async () => {
    const app = listener();
    await createLambdaHandler(app)(event);
    expect(Object.entries(app.requests[0]?.query ?? {})).toEqual([
      ['a', '1'],
      ['b', 'x y'],
      ['__proto__', 'z'],
    ]);
  });

  it('has no header that came empty, and no spaces around the others', async () => {
    const app = listener();
    const headers = { origin: '', 'x-factory-station': ' ', authorization: ' Bearer x\t' };
    await createLambdaHandler(app)({ ...event, headers });
    const [request] = app.requests;
    expect(['origin', 'x-factory-station', 'authorization'].map((name) => request?.header(name))).toEqual([
      undefined,
      undefined,
      'Bearer x',
    ]);
  });

  it('has the same query as a request of the web platform', async () => {
    for (const query of ['?a=1', '=1&a=%ff', '%zz=1&&a', '%23a=1', 'a=b=c&a[]=1&A=2']) {
      const app = listener();
      await createLambdaHandler(app)({ ...event, rawQueryString: query });
      await fetchFrom(app)(new Request(`http://localhost/?${query}`));
      expect(app.requests[0]?.query).toEqual(app.requests[1]?.query);
    }
  });

  it('has no more body than it is asked for', async () => {
    const app = listener();
    const post = { ...event, body: 'äb', requestContext: { http: { method: 'POST', sourceIp: '203.0.113.9' } } };
    await createLambdaHandler(app)(post);
    const [request] = app.requests;
    expect(request?.declaredBytes).toBe(3);
    expect(await request?.readBody(2)).toBeUndefined();
    expect(Buffer.from((await request?.readBody(3)) ?? []).toString()).toBe('äb');
  });
});

describe('a request of the web platform', () => {
  it('is cut off at the limit when it says nothing of its size', async () => {
    const app = listener();
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
    });
    await fetchFrom(app)(new Request('http://localhost/', { method: 'POST', body, duplex: 'half' }));
    expect(app.requests[0]?.declaredBytes).toBeUndefined();
    expect(await app.requests[0]?.readBody(10_000)).toBeUndefined();
  });
});
