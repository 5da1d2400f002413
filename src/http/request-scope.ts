import { type CurrentRequest, duringRequest } from '../platform/observability/current-request.ts';
import { SPAN_ERROR, tracedRequest } from '../platform/observability/tracing.ts';
import { createPatience } from '../platform/resilience/patience.ts';
import type { Services } from '../platform/services.ts';
import type { ErrorForm } from './errors.ts';
import type { IncomingRequest, OutgoingAnswer } from './exchange.ts';

/** What is known about a request while it is served. */
export interface RequestScope {
  readonly requestId: string;
  /** `GET /health`, once a route is found. */
  route: string | undefined;
  uid: string | undefined;
  errorCode: string | undefined;
  /** The route's own form of errors, if it has one. */
  errorForm: ErrorForm | undefined;
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** Whether this container hasn't served a request yet. */
let isColdStart = true;

type Needed = Pick<Services, 'config' | 'randomness' | 'log' | 'requestLine'>;
type Serve = (request: IncomingRequest, scope: RequestScope) => Promise<OutgoingAnswer>;

/** Gives each request its id, its headers, its one log line and its metrics. */
export function inRequestScope(services: Needed, serve: Serve): (request: IncomingRequest) => Promise<OutgoingAnswer> {
  const { config, randomness, log, requestLine } = services;

  return async (request) => {
    const started = performance.now();
    const coldStart = isColdStart;
    isColdStart = false;
    const given = request.header('x-request-id');
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomness.id();
    const scope: RequestScope = {
      requestId,
      route: undefined,
      uid: undefined,
      errorCode: undefined,
      errorForm: undefined,
    };
    const current: CurrentRequest = {
      requestId,
      consumed: { calls: 0, units: 0 },
      metrics: [],
      patience: createPatience(config.dependencyWaitMs),
    };
    const answer = await tracedRequest(requestId, async (span) => {
      const served = await duringRequest(current, () => serve(request, scope));
      const { route = 'unmatched' } = scope;
      span.updateName(route);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': served.status });
      // Only our own failures count as errors, not rejected requests.
      if (served.status >= 500) span.setStatus({ code: SPAN_ERROR });
      return served;
    });

    const latencyMs = Math.round((performance.now() - started) * 100) / 100;
    const { route = 'unmatched', uid, errorCode } = scope;
    const counted = current.metrics ?? [];
    // Metrics counted after the answer can't join the request's line any more.
    current.metrics = undefined;
    requestLine({ requestId, route, uid, statusCode: answer.status, latencyMs, errorCode, coldStart }, counted);
    if (log.isDebug) log.debug('consumed capacity', { requestId, route, ...current.consumed });
    return {
      status: answer.status,
      headers: {
        // Most answers hold presigned URLs or personal data, which must not end up in a shared cache.
        'cache-control': 'no-store',
        ...answer.headers,
        'x-request-id': requestId,
        'x-process-time': String(latencyMs),
      },
      body: answer.body,
    };
  };
}
