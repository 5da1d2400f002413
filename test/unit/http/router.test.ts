import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { fetchFrom } from '../../../src/http/adapters/fetch-adapter.ts';
import { defineRoute } from '../../../src/http/define-route.ts';
import { createRouter, type RouteEntry } from '../../../src/http/router.ts';
import type { RouterHooks } from '../../../src/http/serve-route.ts';
import type { RequestFacts } from '../../../src/platform/observability/request-line.ts';
import type { Services } from '../../../src/platform/services.ts';
import { recordingLog, recordingMetrics } from '../../support/recorders.ts';

const ORIGIN = 'capacitor://localhost';

const HOOKS: RouterHooks = {
  isAccountDeleted: async () => false,
  isPremium: async () => true,
  noteActivity: async () => {},
};

const slowRead = defineRoute({
  method: 'GET',
  path: '/slow',
  auth: 'cognito',
  domain: 'account',
  summary: '',
  description: '',
  responses: { 200: z.object({ done: z.boolean() }) },
  errors: [],
}).handledBy(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { status: 200, body: { done: true } };
});

/** A router over stand-ins: every token is good, and nothing is counted. */
function routerFor(load: RouteEntry['load'], hooks: Partial<RouterHooks> = {}) {
  const log = recordingLog();
  const facts: RequestFacts[] = [];
  const services: Partial<Services> = {
    config: {
      allowedOrigins: [ORIGIN],
      dependencyWaitMs: 1_000,
      checkResponses: true,
    } as unknown as Services['config'],
    clock: { now: () => 0 },
    randomness: { id: () => 'request-1', bytes: (count) => Buffer.alloc(count), fraction: () => 0 },
    log,
    metrics: recordingMetrics(),
    requestLine: (fact) => facts.push(fact),
    cognitoTokens: {
      verify: async () => ({ valid: true, claims: { uid: 'u-1' } }),
    } as unknown as Services['cognitoTokens'],
  };
  const entry: RouteEntry = { method: 'GET', path: '/slow', isClosedToPages: false, load };
  const serve = fetchFrom(createRouter([entry], services as Services, { ...HOOKS, ...hooks }));
  const get = () =>
    serve(new Request('http://localhost/slow', { headers: { authorization: 'Bearer a.b.c', origin: ORIGIN } }));
  return { get, log, facts };
}

describe('a route that fails to load', () => {
  it('is a failure of that route, in the usual form, and is loaded again for the next request', async () => {
    let attempts = 0;
    const { get, log, facts } = routerFor(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('EMFILE');
      return slowRead;
    });

    const failed = await get();
    expect(failed.status).toBe(500);
    expect(await failed.json()).toMatchObject({ error: { code: 'internal_error', requestId: 'request-1' } });
    expect(failed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(log.lines[0]).toMatchObject({ level: 'error', fields: { route: 'GET /slow' } });

    expect((await get()).status).toBe(200);
    expect(facts.map(({ route, statusCode }) => [route, statusCode])).toEqual([
      ['GET /slow', 500],
      ['GET /slow', 200],
    ]);
  });
});

describe('rejections while another promise is awaited', () => {
  const unhandled: unknown[] = [];
  const record = (reason: unknown) => unhandled.push(reason);
  beforeEach(() => {
    unhandled.length = 0;
    process.prependListener('unhandledRejection', record);
  });
  afterEach(() => {
    process.removeListener('unhandledRejection', record);
  });

  it('of the activity note neither fail the request nor end the process', async () => {
    const { get, log } = routerFor(async () => slowRead, {
      noteActivity: async () => {
        throw new Error('no code for it');
      },
    });
    expect((await get()).status).toBe(200);
    expect(unhandled).toEqual([]);
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { uid: 'u-1' } }]);
  });

  it('of the deletion check fail the request once', async () => {
    const { get } = routerFor(async () => slowRead, {
      isAccountDeleted: async () => {
        throw new Error('no table');
      },
    });
    expect((await get()).status).toBe(500);
    expect(unhandled).toEqual([]);
  });
});
