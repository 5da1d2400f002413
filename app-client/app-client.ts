import { answerOf } from './answer.ts';
import { ApiError, NetworkError } from './errors.ts';
import { type AppApi, appApi } from './generated/api.ts';
import type { CallOptions, Operation } from './operation.ts';
import { pauseBeforeRepeat } from './repeat.ts';
import { type Request, requestOf } from './request.ts';
import * as time from './time-limit.ts';
import { type GetToken, sharedTokens } from './tokens.ts';

export interface AppClientOptions {
  /** URL of the API, with or without a trailing slash. */
  readonly baseUrl: string;
  /** Without it, only public routes can be called. */
  readonly getToken?: GetToken | undefined;
  /** Timeout of one attempt in milliseconds. Default: 30 000, the longest that the API itself takes. */
  readonly timeoutMs?: number | undefined;
  /** How often a repeatable call is sent again. Default: 2. */
  readonly repeats?: number | undefined;
  /** Default: the platform's own. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** At least 0, below 1; for the pauses between attempts. */
  readonly random?: (() => number) | undefined;
  readonly wait?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
}

/**
 * A client of the AutoWatering API. Its calls reject with an `ApiError`, `NetworkError` or `TimeoutError`, whose
 * messages can be shown to people, with what `getToken` threw, or with the reason of the caller's signal.
 */
export function createAppClient(options: AppClientOptions): AppApi {
  const { baseUrl, getToken = async () => undefined, repeats = 2, random = Math.random, wait = time.wait } = options;
  const tokens = sharedTokens(getToken);

  return appApi(async (operation, input, callOptions = {}) => {
    const request = requestOf(baseUrl, operation, input);
    for (let failures = 1; ; failures++) {
      try {
        return await authorized(operation, request, callOptions);
      } catch (error) {
        const pause = failures > repeats ? undefined : pauseBeforeRepeat(error, operation, failures, random);
        if (pause === undefined) throw error;
        await wait(pause, callOptions.signal);
      }
    }
  });

  /** Sends a request with the user's token, and once more with a new token if that one is refused. */
  async function authorized<Answer>(operation: Operation, request: Request, call: CallOptions): Promise<Answer> {
    const token = operation.auth === 'public' ? undefined : await tokens.current();
    try {
      return await attempt(operation, request, token, call);
    } catch (error) {
      if (token === undefined || !isTokenRefused(error)) throw error;
      const renewed = await tokens.inPlaceOf(token);
      if (renewed === undefined) throw error;
      return attempt(operation, request, renewed, call);
    }
  }

  async function attempt<Answer>(
    operation: Operation,
    { url, headers, body }: Request,
    token: string | undefined,
    { signal, timeoutMs = options.timeoutMs ?? 30_000 }: CallOptions,
  ): Promise<Answer> {
    const { response, text } = await time.withinTime(timeoutMs, signal, async (ending) => {
      try {
        // Read at each call: Capacitor may replace it after the client was created.
        const send = options.fetch ?? globalThis.fetch;
        const answer = await send(url, {
          method: operation.method,
          headers: { ...headers, ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
          body,
          credentials: 'omit',
          signal: ending,
        });
        return { response: answer, text: await answer.text() };
      } catch (error) {
        throw new NetworkError(error);
      }
    });
    return answerOf<Answer>(operation, response, text, Date.now());
  }
}

/** `recent_login_required` asks for a new sign-in, which a new token can't replace. */
function isTokenRefused(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401 && error.code !== 'recent_login_required';
}
