import type { Log } from '../platform/observability/log.ts';
import { DependencyUnavailableError } from '../platform/resilience/dependency.ts';
import type { Reply } from './define-route.ts';
import { ApiError, errorBody } from './errors.ts';
import type { OutgoingAnswer } from './exchange.ts';
import type { RequestScope } from './request-scope.ts';

/** For 503 answers whose cause doesn't suggest a time. */
const RETRY_AFTER_SECONDS = '5';
const JSON_TYPE = { 'content-type': 'application/json' } as const;

type Headers = Readonly<Record<string, string>>;

/** @param headers from the checks before the handler, whose own headers override them */
export function replyAnswer({ status, body, headers: own }: Reply, headers: Headers): OutgoingAnswer {
  const isRedirect = status === 302;
  const named = own === undefined ? {} : inLowerCase(own);
  const isText = typeof body === 'string' && named['content-type'] !== undefined;
  return {
    status,
    headers: {
      ...headers,
      ...(isRedirect ? {} : JSON_TYPE),
      ...(status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
      ...named,
    },
    body: isRedirect ? null : isText ? body : JSON.stringify(body),
  };
}

/** The one place where a failure becomes an answer. Only an `ApiError` reveals anything to the caller. */
export function errorAnswer(error: unknown, scope: RequestScope, log: Log, headers: Headers): OutgoingAnswer {
  const expected = toApiError(error);
  const { requestId, route } = scope;
  if (expected.status >= 500) log.error('The request failed', { requestId, route, code: expected.code }, error);
  scope.errorCode = expected.code;
  const { status, body } = scope.errorForm?.answer(expected) ?? {
    status: expected.status,
    body: errorBody(expected, requestId),
  };
  return {
    status,
    headers: {
      ...headers,
      ...JSON_TYPE,
      ...(expected.status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
      ...inLowerCase(expected.headers),
    },
    body: JSON.stringify(body),
  };
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof DependencyUnavailableError) {
    return new ApiError('service_unavailable', 'That does not work right now. Please try again in a moment.', {
      cause: error,
    });
  }
  return new ApiError('internal_error', 'Something went wrong on our side. Please try again in a moment.', {
    cause: error,
  });
}

function inLowerCase(headers: Headers): Headers {
  const result: Record<string, string> = {};
  for (const name in headers) result[name.toLowerCase()] = headers[name] ?? '';
  return result;
}
