import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLambdaHandler } from '../../../src/http/adapters/lambda-adapter.ts';
import { type Backend, startBackend } from '../../support/backend.ts';
import { billing } from '../../support/billing.ts';
import { gardeners } from '../../support/gardeners.ts';
import { jpeg, PRIVATE_TEXT, photoForm } from '../../support/photos.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

interface EventOptions {
  readonly method?: string;
  readonly path: string;
  readonly query?: string;
  readonly stage?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly base64?: boolean;
  /** Sends the body as it is, but marked as base64. */
  readonly rawBody?: string;
  /** The gateway route that matched. */
  readonly routeKey?: string;
}

/** An event as API Gateway sends it in payload format 2.0. */
function event(options: EventOptions): APIGatewayProxyEventV2 {
  const {
    method = 'GET',
    path,
    query = '',
    stage = '$default',
    body,
    rawBody,
    base64 = rawBody !== undefined,
  } = options;
  const { routeKey = `${method} ${path}` } = options;
  const rawPath = stage === '$default' ? path : `/${stage}${path}`;
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString: query,
    cookies: ['theme=dark', 'tracking=%7B%22a%22%3A1%7D'],
    headers: {
      host: 'abc123.execute-api.eu-central-1.amazonaws.com',
      'content-type': 'application/json',
      // The gateway sends all header names in lower case.
      ...Object.fromEntries(Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
    },
    requestContext: {
      accountId: 'anonymous',
      apiId: 'abc123',
      domainName: 'abc123.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'abc123',
      http: {
        method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: '203.0.113.9',
        userAgent: 'AutoWatering/3.1 (iOS)',
      },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey,
      stage,
      time: '20/Nov/2026:12:00:00 +0000',
      timeEpoch: 1_795_176_000_000,
    },
    ...(body === undefined ? {} : { body: base64 ? Buffer.from(body).toString('base64') : String(body) }),
    ...(rawBody === undefined ? {} : { body: rawBody }),
    isBase64Encoded: base64,
  };
}

async function invoke(options: EventOptions) {
  const run = createLambdaHandler(backend.app);
  const result: APIGatewayProxyStructuredResultV2 = await run(event(options));
  return { ...result, json: JSON.parse(result.body || 'null') };
}

describe('API Gateway events of payload format 2.0', () => {
  it('reach a public route', async () => {
    const answer = await invoke({ path: '/health' });
    expect(answer.statusCode).toBe(200);
    expect(answer.json.status).toBe('alive');
    expect(answer.isBase64Encoded).toBe(false);
    expect(answer.headers?.['x-request-id']).toBeDefined();
  });

  it.each(['prod', 'health'])('reach a public route behind the stage prefix /%s', async (stage) => {
    expect((await invoke({ path: '/health', stage })).statusCode).toBe(200);
    expect((await invoke({ path: '/health/', stage })).statusCode).toBe(200);
    expect((await invoke({ path: '/nowhere', stage })).json.error.code).toBe('not_found');
  });

  it('carry query strings', async () => {
    const answer = await invoke({ path: '/ota/latest', query: 'serial=7&channel=stable' });
    expect(answer.json.error.details[0].field).toBe('serial');
  });

  it('carry a version with a plus sign in the path', async () => {
    const answer = await invoke({ path: '/ota/releases/v1.2.3%2B7/download-url' });
    expect(answer.json.error.code).toBe('release_not_found');
    expect(answer.json.error.message).toContain('1.2.3');
  });

  it.each([false, true])('carry a body, base64 or not (%s), with cookies', async (base64) => {
    const { uid, headers } = newUser();
    const answer = await invoke({
      method: 'POST',
      path: '/saveUserState',
      headers: { authorization: headers.Authorization },
      body: JSON.stringify({ state: { note: 'Grüße 🌱' } }),
      base64,
    });
    expect(answer.statusCode).toBe(200);
    const read = await invoke({ path: '/getUserState', headers: { authorization: headers.Authorization } });
    expect(read.json).toMatchObject({ uid, state: { note: 'Grüße 🌱' } });
  });

  it.each([false, true])("carry Stripe's signed bytes, base64 or not (%s)", async (base64) => {
    const object = { id: 'in_ü', object: 'invoice', customer: null, description: 'Grüße 🌱' };
    const signed = backend.stripe.webhooks.sign(billing(backend).makeEvent('invoice.paid', object));
    const webhook = { method: 'POST', path: '/stripeWebhook', headers: signed.headers, base64 };
    expect(await invoke({ ...webhook, body: signed.body })).toMatchObject({
      statusCode: 200,
      json: { received: true },
    });
    const forged = await invoke({ ...webhook, body: `${signed.body}\n` });
    expect(forged).toMatchObject({ statusCode: 400, json: { error: { code: 'invalid_signature' } } });
  });

  it("carry the API's public address, so that Stripe returns to it", async () => {
    const { headers } = newUser();
    const open = async (stage: string) => {
      const answer = await invoke({
        method: 'POST',
        path: '/createSubscriptionCheckout',
        stage,
        headers: { authorization: headers.Authorization },
        body: '{}',
      });
      return backend.stripe.state.find('sessions', answer.json.sessionId)?.successUrl;
    };
    const host = 'https://abc123.execute-api.eu-central-1.amazonaws.com';
    expect(await open('$default')).toMatch(`${host}/appReturn?to=autowatering`);
    expect(await open('prod')).toMatch(`${host}/prod/appReturn?to=autowatering`);
  });

  it('carry a redirect', async () => {
    const answer = await invoke({ path: '/appReturn', query: 'to=autowatering%3A%2F%2Fpremium' });
    expect(answer.statusCode).toBe(302);
    expect(answer.headers?.['location']).toBe('autowatering://premium');
    expect(answer.body).toBe('');
  });

  it('carry a photo, which API Gateway always sends as base64', async () => {
    const people = gardeners(backend);
    const user = await people.premium();
    const photo = jpeg({ withPlace: true, pictureBytes: 3_000_000 });
    const form = new Response(photoForm(photo, { latitude: '52.516275', longitude: '13.377704' }));
    const body = Buffer.from(await form.arrayBuffer());
    const headers = {
      authorization: user.headers.Authorization,
      'content-type': form.headers.get('content-type') ?? '',
    };
    const answer = await invoke({ method: 'POST', path: '/plantId', headers, body, base64: true });
    expect(answer).toMatchObject({ statusCode: 200, json: { provider: 'kindwise' } });
    expect(answer.headers?.['x-ai-cache']).toBe('MISS');
    const [sent] = backend.plants.kindwise.received;
    expect(sent?.fields).toMatchObject({ latitude: '52.52', longitude: '13.38' });
    expect(sent?.bytes.byteLength).toBeGreaterThan(3_000_000);
    expect(Buffer.from(sent?.bytes ?? []).includes(PRIVATE_TEXT)).toBe(false);
  });

  it('report a body that is too large, and one that is not JSON', async () => {
    const headers = { 'x-factory-token': backend.secrets.factoryToken };
    const large = await invoke({ method: 'POST', path: '/provision', headers, body: 'x'.repeat(70_000), base64: true });
    expect(large.json.error.code).toBe('payload_too_large');
    const broken = await invoke({ method: 'POST', path: '/provision', headers, body: '{', base64: true });
    expect(broken.json.error.code).toBe('invalid_json');
  });

  it.each(['GET', 'HEAD'])('carry a %s whose body is ignored', async (method) => {
    const answer = await invoke({ method, path: '/health', body: '{"a":1}' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers?.['x-request-id']).toBeDefined();
  });

  it.each(['TRACE', 'TRACK', 'CONNECT', 'PATCH', 'BREW'])('reject %s, a method that no route has', async (method) => {
    const headers = { 'x-request-id': 'a-caller-of-its-own' };
    const known = await invoke({ method, path: '/claimDevice', headers });
    expect(known).toMatchObject({ statusCode: 405, json: { error: { code: 'method_not_allowed' } } });
    expect(known.headers).toMatchObject({ allow: 'POST, OPTIONS', 'x-request-id': 'a-caller-of-its-own' });
    const unknown = await invoke({ method, path: '/nowhere', headers });
    expect(unknown).toMatchObject({ statusCode: 404, json: { error: { requestId: 'a-caller-of-its-own' } } });
  });

  it.each(['%%%', 'a', 'abc=d', 'Zm9v\u0000'])(
    'are refused in the usual form when the body is no base64: %j',
    async (text) => {
      const headers = { 'x-factory-token': backend.secrets.factoryToken };
      const answer = await invoke({ method: 'POST', path: '/provision', headers, rawBody: text });
      expect(answer).toMatchObject({ statusCode: 400, json: { error: { code: 'invalid_request' } } });
      expect(answer.headers?.['x-request-id']).toBe(answer.json.error.requestId);
      expect(answer.headers?.['x-process-time']).toBeDefined();
    },
  );

  it.each([
    ['/ota/releases/%zz/download-url', '', 400, 'validation_failed'],
    ['/ota/releases/%ff/download-url', 'channel=%ff', 400, 'validation_failed'],
    ['/%', '%', 404, 'not_found'],
    ['/nowhere/../health', '', 404, 'not_found'],
    ['/nowhere/%2e%2e/health', '', 404, 'not_found'],
    ['//evil.example.com/health', '', 404, 'not_found'],
    ['/he\\alth', '', 404, 'not_found'],
  ])('carry the odd path %s?%s', async (path, query, status, code) => {
    expect(await invoke({ path, query })).toMatchObject({ statusCode: status, json: { error: { code } } });
  });

  describe('that match no gateway route because of a trailing slash', () => {
    const slashed = (options: EventOptions) => invoke({ ...options, routeKey: '$default' });

    it('are answered as without it', async () => {
      expect(await slashed({ path: '/health/' })).toMatchObject({ statusCode: 200, json: { status: 'alive' } });
    });

    it.each([
      [{}, 'auth_required'],
      [{ authorization: 'Bearer x.y.z' }, 'invalid_token'],
      [{ authorization: newUser({ clientId: 'somebodyelsesclient' }).headers.Authorization }, 'invalid_token'],
    ])('are not let in without a token that the authorizer accepts: %j', async (headers, code) => {
      const answer = await slashed({ path: '/myDevices/', headers });
      expect(answer).toMatchObject({ statusCode: 401, json: { error: { code } } });
    });

    it("count against the route's own limit for the caller", async () => {
      const { headers } = newUser();
      const ask = (path: string) =>
        slashed({
          method: 'POST',
          path,
          headers: { authorization: headers.Authorization },
          body: '{"confirmText":"no"}',
        });
      const left = async (path: string) => (await ask(path)).headers?.['ratelimit'];
      expect(await left('/deleteMyAccount')).toContain('r=9;');
      expect(await left('/deleteMyAccount/')).toContain('r=8;');
      expect(await left('/deleteMyAccount///')).toContain('r=7;');
    });
  });

  it('carry a preflight through its own route', async () => {
    const headers = { origin: 'capacitor://localhost', 'access-control-request-method': 'POST' };
    const answer = await invoke({ method: 'OPTIONS', path: '/claimDevice', headers, routeKey: 'OPTIONS /{proxy+}' });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers?.['access-control-allow-origin']).toBe('capacitor://localhost');
  });
});
