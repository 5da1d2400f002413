import * as z from 'zod';
import { parseLeniently } from '../lenient-json.ts';
import { PlainError } from '../plain-error.ts';

const ErrorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string(), details: z.unknown().optional() }),
});

/** An error response of the API. */
export class ApiCallError extends PlainError {
  readonly code: string;
  readonly status: number;
  readonly details: unknown;

  constructor(call: string, status: number, error: z.output<typeof ErrorAnswer>['error']) {
    super(`${call} returned ${status} ${error.code}: ${error.message} (request ${error.requestId})`);
    this.code = error.code;
    this.status = status;
    this.details = error.details;
  }
}

export interface ApiCall {
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const CALL_MS = 30_000;

/**
 * Creates a function that calls the API and parses the response. Error messages name the failed call.
 *
 * @param send sends the requests; defaults to `fetch`
 */
export function apiClient(baseUrl: string, signal?: AbortSignal, send: typeof fetch = fetch) {
  return async <T>(path: string, schema: z.ZodType<T>, call: ApiCall = {}): Promise<T> => {
    const method = call.method ?? 'GET';
    const name = `${method} ${path.split('?', 1)[0]}`;
    const timeout = AbortSignal.timeout(CALL_MS);
    let response: Response;
    try {
      response = await send(new URL(path, baseUrl), {
        method,
        headers: { ...(call.body === undefined ? {} : { 'Content-Type': 'application/json' }), ...call.headers },
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      });
    } catch (error) {
      signal?.throwIfAborted();
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new PlainError(
        `${name}: ${baseUrl} can't be reached (${reason}).${isLoopback(baseUrl) ? ' Is the stack running? Start it with "npm run dev".' : ''}`,
      );
    }
    const text = await response.text();
    const body = parseLeniently(text);
    if (!response.ok) {
      const refused = ErrorAnswer.safeParse(body);
      if (refused.success) throw new ApiCallError(name, response.status, refused.data.error);
      throw new PlainError(`${name} returned ${response.status}: ${text.slice(0, 200)}`);
    }
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw new PlainError(`${name} returned an unexpected response: ${parsed.error.message}`);
    return parsed.data;
  };
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);
}

export type CallApi = ReturnType<typeof apiClient>;
