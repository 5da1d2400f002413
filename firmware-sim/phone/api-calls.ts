import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import * as z from 'zod';

/** The backend refused or can't be reached. An update may continue without it, but no offer can be had. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
  /** Of the answer; undefined without one. */
  readonly status: number | undefined;
  readonly refusal: z.output<typeof Refusal>['error'] | undefined;

  constructor(message: string, { cause, status, text }: { cause?: unknown; status?: number; text?: string } = {}) {
    super(message, { cause });
    this.status = status;
    this.refusal = text === undefined ? undefined : Json.pipe(Refusal).safeParse(text).data?.error;
  }
}

export interface CallOptions {
  readonly apiBaseUrl: string;
  /** The user's token, or where to get a peer's. `refresh: true` means that the last one was refused. */
  readonly idToken: string | ((how: { readonly refresh: boolean }) => Promise<string>);
  readonly signal?: AbortSignal;
  /** How requests are sent. Default: `fetch`. */
  readonly fetch?: typeof fetch;
}

export type ApiCalls = ReturnType<typeof createCalls>;

const Json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('not JSON');
    return z.NEVER;
  }
});
const Refusal = z.object({ error: z.object({ code: z.string(), details: z.unknown() }) });

const CALL_MS = 30_000;
const PLAIN = 'application/json';
/** The gateway takes what is called JSON for text, and would spoil compressed bytes. */
const COMPRESSED = 'application/vnd.autowatering+json';
const compress = promisify(gzip);

/** Calls of the API in its owner's name. */
export function createCalls(options: CallOptions) {
  const { idToken } = options;
  const transmit = options.fetch ?? fetch;
  const send = (name: string, url: URL | string, init: RequestInit = {}): Promise<Response> => {
    const limit = AbortSignal.timeout(CALL_MS);
    const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
    return reached(name, options.signal, () => transmit(url, { ...init, signal }));
  };
  const ask = async (path: string, init: RequestInit, isAgain: boolean): Promise<Response> => {
    const token = typeof idToken === 'string' ? idToken : await idToken({ refresh: isAgain });
    const headers = { 'Content-Type': PLAIN, ...init.headers, Authorization: `Bearer ${token}` };
    const response = await send(nameOf(path), new URL(path, options.apiBaseUrl), { ...init, headers });
    return response.status === 401 && typeof idToken !== 'string' && !isAgain ? ask(path, init, true) : response;
  };
  const answered = async <T>(path: string, schema: z.ZodType<T>, init: RequestInit): Promise<T> => {
    const name = nameOf(path);
    const response = await ask(path, init, false);
    const { status } = response;
    const text = await response.text();
    if (!response.ok) throw new BackendError(`${name} answered ${status}: ${text.slice(0, 200)}`, { status, text });
    const parsed = Json.pipe(schema).safeParse(text);
    if (!parsed.success) throw new BackendError(`${name} gave an unexpected answer: ${parsed.error.message}`);
    return parsed.data;
  };
  return {
    send,
    /** Gets, or posts a body. @throws BackendError */
    call: <T>(path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> =>
      answered(path, schema, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    /** Posts a body compressed. @throws BackendError */
    async post<T>(path: string, schema: z.ZodType<T>, body: unknown): Promise<T> {
      const bytes = new Uint8Array(await compress(JSON.stringify(body)));
      const headers = { 'Content-Type': COMPRESSED, 'Content-Encoding': 'gzip' };
      return answered(path, schema, { method: 'POST', body: bytes, headers });
    },
  };
}

function nameOf(path: string): string {
  return path.split('?', 1)[0] ?? path;
}

async function reached(
  name: string,
  signal: AbortSignal | undefined,
  send: () => Promise<Response>,
): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    signal?.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new BackendError(`${name} cannot be reached: ${String(cause)}`, { cause: error });
  }
}
