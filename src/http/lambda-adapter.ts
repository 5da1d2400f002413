import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import type { ApiError } from './errors.ts';
import type { App } from './router.ts';
import { unreadable } from './unreadable.ts';

/** An event that the app refuses, because it can't be made into a request. */
export type RefusedEvent = LambdaEvent & { readonly refused: ApiError };

/**
 * Lambda's handler for the app. Events that Hono's adapter would answer by itself, in plain text, are first made into ones
 * that the app can answer in its own form.
 */
export function createLambdaHandler(app: App) {
  const run = handle(app);
  return (event: LambdaEvent, context: LambdaContext) => run(answerable(event), context);
}

/** Methods that the platform's `Request` does not take. */
const FORBIDDEN_METHODS = new Set(['CONNECT', 'TRACE', 'TRACK']);
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function answerable(event: LambdaEvent): LambdaEvent | RefusedEvent {
  const method = methodOf(event);
  if (event.isBase64Encoded && event.body && !(BASE64.test(event.body) && event.body.length % 4 !== 1)) {
    return { ...withoutBody(event), refused: unreadable() };
  }
  // A body of a GET means nothing (RFC 9110, 9.3.1): it is left out, as Node's server leaves it unread.
  if (method === 'GET' || method === 'HEAD') return withoutBody(event);
  // Under another name the app finds it as unknown as it is: 405 or 404.
  return FORBIDDEN_METHODS.has(method) ? withMethod(withoutBody(event), `X-${method}`) : event;
}

function methodOf({ requestContext: context }: LambdaEvent): string {
  return context !== undefined && 'http' in context ? context.http.method.toUpperCase() : '';
}

function withMethod(event: LambdaEvent, method: string): LambdaEvent {
  const { requestContext: context } = event;
  if (!('http' in context)) return event;
  return Object.assign({}, event, { requestContext: { ...context, http: { ...context.http, method } } });
}

function withoutBody(event: LambdaEvent): LambdaEvent {
  return { ...event, body: null, isBase64Encoded: false };
}
