import { ApiError } from './errors.ts';
import type { Operation } from './operation.ts';

/**
 * Returns the body of an answer.
 *
 * @throws ApiError when it is an error, or not JSON
 */
export function answerOf<Answer>({ answers }: Operation, response: Response, text: string, now: number): Answer {
  const isAnswer = answers?.includes(response.status) ?? response.ok;
  const body = parsed(text);
  if (isAnswer && isObject(body)) {
    const answer: Answer = JSON.parse(text);
    return answer;
  }
  throw errorOf(response, body, now);
}

function errorOf({ status, headers }: Response, body: unknown, now: number): ApiError {
  const error = isObject(body) && isObject(body['error']) ? body['error'] : {};
  const { code, message, requestId, details } = error;
  const facts = {
    status,
    requestId: typeof requestId === 'string' ? requestId : (headers.get('X-Request-Id') ?? undefined),
    details,
    retryAfterSeconds: secondsUntil(headers.get('Retry-After'), now),
  };
  return typeof code === 'string' && typeof message === 'string'
    ? new ApiError(message, { ...facts, code })
    : new ApiError(sentenceFor(status), { ...facts, code: 'unreadable_answer' });
}

/** What a gateway or hotspot answers in the API's place is not written for people. */
function sentenceFor(status: number): string {
  if (status === 401) return 'Please sign in again.';
  if (status === 413) return 'This is too large to send.';
  if (status === 429) return 'Too many requests. Please wait a moment and try again.';
  if (status >= 500) return 'The service is not available right now. Please try again later.';
  return 'The answer could not be read. Check your internet connection: you may have to log in to the network first.';
}

/** `Retry-After` as seconds from now. The header is either seconds or a date. */
function secondsUntil(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  const time = Date.parse(header);
  return Number.isNaN(time) ? undefined : Math.max(0, Math.ceil((time - now) / 1000));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
