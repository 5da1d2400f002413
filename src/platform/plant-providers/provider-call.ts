import type * as z from 'zod';
import { traced } from '../observability/tracing.ts';
import { ProviderError, type ProviderName, type ProviderTrouble } from './provider-errors.ts';

/** Far above any real answer; an endless one must not fill the memory. */
const LARGEST_ANSWER_BYTES = 4 * 1024 * 1024;

export interface ProviderCall<T> {
  readonly provider: ProviderName;
  readonly url: URL;
  readonly init?: {
    readonly method: 'GET' | 'POST';
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: FormData | string;
  };
  readonly timeoutMs: number;
  /** Cancels the call when the caller has left. */
  readonly signal: AbortSignal | undefined;
  readonly schema: z.ZodType<T>;
  /** Maps an error status that is a valid answer to a result. */
  readonly instead?: (status: number, body: unknown) => T | undefined;
}

/**
 * Calls a provider with a limit on time and size, and parses its answer.
 *
 * @throws ProviderError for everything that can go wrong
 */
export function callProvider<T>(call: ProviderCall<T>): Promise<T> {
  return traced(`${call.provider}.call`, {}, () => makeCall(call));
}

async function makeCall<T>(call: ProviderCall<T>): Promise<T> {
  const { provider, schema } = call;
  const timeout = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]);
  let status: number;
  let text: string;
  try {
    const answer = await fetch(call.url, { ...call.init, redirect: 'error', signal });
    status = answer.status;
    text = await readText(answer);
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    if (call.signal?.aborted === true) throw new ProviderError(provider, 'cancelled');
    if (timeout.aborted) throw new ProviderError(provider, 'timeout', `${call.timeoutMs} ms`);
    throw new ProviderError(provider, 'unreachable', networkCode(error));
  }
  const body = parsed(text);
  const instead = call.instead?.(status, body);
  if (instead !== undefined) return instead;
  if (status < 200 || status > 299) throw new ProviderError(provider, troubleOf(status), `status ${status}`);
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ProviderError(provider, 'malformed', body === undefined ? 'no JSON' : issue?.path.map(String).join('.'));

  async function readText(answer: Response): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of answer.body ?? []) {
      size += chunk.byteLength;
      if (size > LARGEST_ANSWER_BYTES) throw new ProviderError(provider, 'malformed', 'too large');
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  }
}

/** Providers also answer with HTML or plain text; returns undefined for anything but JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function troubleOf(status: number): ProviderTrouble {
  if (status === 401 || status === 403) return 'refused_key';
  if (status === 402 || status === 429) return 'exhausted';
  if (status >= 500) return 'server_error';
  return 'rejected';
}

function networkCode(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
}
