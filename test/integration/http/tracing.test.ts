import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { gardeners } from '../../support/gardeners.ts';
import { jpeg, photoForm } from '../../support/photos.ts';
import { newUser } from '../../support/tokens.ts';

/* An SDK registered from outside, as a Lambda layer does: the code knows only the API. */

const spans = new InMemorySpanExporter();
let backend: Backend;
beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  backend = await startBackend();
});
afterAll(() => backend.stop());
beforeEach(() => {
  spans.reset();
  backend.dynamo.setFaults([]);
});

const finished = () => spans.getFinishedSpans();
const named = (name: string) => finished().filter((span) => span.name === name);

describe('a request', () => {
  it('is a span named after its route, with a child span for every outgoing call', async () => {
    const { headers } = newUser();
    await backend.call('/myDevices', { headers: { ...headers, 'X-Request-Id': 'traced-0001' } });
    const [request] = named('GET /myDevices');
    expect(request?.attributes).toMatchObject({
      ...{ 'http.route': 'GET /myDevices', 'http.response.status_code': 200 },
      'autowatering.request_id': 'traced-0001',
    });
    const calls = finished().filter(({ name }) => name.startsWith('DynamoDB.'));
    expect(calls.length).toBeGreaterThan(1);
    for (const call of calls) {
      expect(call.spanContext().traceId).toBe(request?.spanContext().traceId);
      expect(call.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
    }
  });

  it('shows its calls to Stripe, a plant provider, S3 and Cognito', async () => {
    const { headers } = await gardeners(backend).premium();
    await backend.call('/plantId', { headers, body: photoForm(jpeg()) });
    await backend.call('/getProfile', { headers });
    await backend.call('/health/deep');
    const names = new Set(finished().map(({ name }) => name));
    for (const name of [/^Stripe\./, /^(kindwise|plantnet)\.call$/, /^S3\./, /^Cognito\.AdminGetUser$/]) {
      expect(
        [...names].some((one) => name.test(one)),
        `${name} in ${[...names].join(', ')}`,
      ).toBe(true);
    }
  });

  it('is marked when it fails, and so is the call that failed', async () => {
    backend.dynamo.setFaults([{ match: 'GetItem', status: 400, body: '{"__type":"AccessDeniedException"}' }]);
    await backend.call('/getProfile', { headers: newUser().headers });
    expect(named('GET /getProfile')[0]?.status.code).toBe(2);
    const [call] = named('DynamoDB.GetItem');
    expect([call?.status.code, call?.attributes['error.type']]).toEqual([2, 'AccessDeniedException']);
  });

  it('is not marked as an error when it is rejected', async () => {
    await backend.call('/getProfile');
    expect(named('GET /getProfile')[0]?.status.code).toBe(0);
  });

  it('leaves none of its content in a span', async () => {
    const { headers, uid } = newUser();
    await backend.call('/saveUserState', { headers, body: { state: { secret: 'garden-gnome' } } });
    await backend.call('/myDevices?x=garden-gnome', { headers });
    const text = JSON.stringify(
      finished().map(({ name, attributes, status, events }) => [name, attributes, status, events]),
    );
    expect(text).toContain('DynamoDB');
    for (const value of [uid, 'garden-gnome', headers.Authorization.slice(-20)]) expect(text).not.toContain(value);
  });
});
