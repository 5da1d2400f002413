import type { MiddlewareHandler } from 'hono';
import { type CurrentRequest, duringRequest } from '../platform/observability/current-request.ts';
import { SPAN_ERROR, tracedRequest } from '../platform/observability/tracing.ts';
import { createPatience } from '../platform/resilience/patience.ts';
import type { Services } from '../platform/services.ts';

/** What is known of a request while it is served. */
export interface RequestVariables {
  requestId: string;
  route: string | undefined;
  uid: string | undefined;
  errorCode: string | undefined;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** A cache of one fact: whether this container has answered before. */
let isColdStart = true;

type Needed = Pick<Services, 'config' | 'randomness' | 'log' | 'requestLine'>;

/** Gives each request its id, its headers, its one log line and its metrics. */
export function requestScope(services: Needed): MiddlewareHandler<{ Variables: RequestVariables }> {
  const { config, randomness, log, requestLine } = services;

  return async function requestScopeMiddleware(c, next) {
    const started = performance.now();
    const coldStart = isColdStart;
    isColdStart = false;
    const given = c.req.header('x-request-id');
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomness.id();
    c.set('requestId', requestId);
    c.set('route', undefined);
    c.set('uid', undefined);
    c.set('errorCode', undefined);

    const patience = createPatience(config.dependencyWaitMs);
    const request: CurrentRequest = { requestId, consumed: { calls: 0, units: 0 }, metrics: [], patience };
    await tracedRequest(requestId, async (span) => {
      await duringRequest(request, next);
      const { route = 'unmatched' } = c.var;
      span.updateName(route);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': c.res.status });
      // A refusal is the caller's; only what is our own fault is an error here.
      if (c.res.status >= 500) span.setStatus({ code: SPAN_ERROR });
    });

    const latencyMs = Math.round((performance.now() - started) * 100) / 100;
    c.header('X-Request-Id', requestId);
    c.header('X-Process-Time', String(latencyMs));
    // Presigned URLs and personal data fill nearly every answer; none of them may rest in a shared cache.
    if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store');
    const { route = 'unmatched', uid, errorCode } = c.var;
    const statusCode = c.res.status;
    const counted = request.metrics ?? [];
    // What is counted from now on, behind the answer, has no request's line to wait for.
    request.metrics = undefined;
    requestLine({ requestId, route, uid, statusCode, latencyMs, errorCode, coldStart }, counted);
    if (log.isDebug) log.debug('consumed capacity', { requestId, route, ...request.consumed });
  };
}
