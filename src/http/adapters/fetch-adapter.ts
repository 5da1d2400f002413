import type { IncomingMessage } from 'node:http';
import type { ApiError } from '../errors.ts';
import type { App, IncomingRequest } from '../exchange.ts';
import { decodePath, normalizePath } from '../path.ts';
import { firstValues } from './lambda-adapter.ts';

/** What Node's server knows besides the request; empty in tests without a server. */
export interface Bindings {
  readonly incoming?: IncomingMessage;
  /** Set when the server could not parse the request. */
  readonly refused?: ApiError;
}

export type Fetch = (request: Request, bindings?: Bindings) => Promise<Response>;

/** Wraps the app in the web platform's `Request` and `Response`, for the local server, tests and the benchmark. */
export function fetchFrom(app: App): Fetch {
  return async (request, bindings = {}) => {
    const { status, headers, body } = await app.answer(requestOf(request, bindings));
    return new Response(body, { status, headers });
  };
}

function requestOf(request: Request, { incoming, refused }: Bindings): IncomingRequest {
  const url = new URL(request.url);
  const length = request.headers.get('content-length');
  return {
    method: request.method,
    path: normalizePath(decodePath(url.pathname), undefined),
    query: firstValues(url.search),
    header: (name) => request.headers.get(name) ?? undefined,
    declaredBytes: length === null ? undefined : Number(length),
    readBody: (largest) => readAll(request, largest),
    address: incoming?.socket.remoteAddress ?? 'unknown',
    baseUrl: url.origin,
    signal: request.signal,
    refused,
  };
}

/** Counts the bytes itself, since the declared size may be missing or wrong. */
async function readAll(request: Request, largest: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > largest) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
