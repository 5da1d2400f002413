import type { ApiError } from './errors.ts';

/** A request from an adapter: Lambda's, or the local server's. */
export interface IncomingRequest {
  readonly method: string;
  /** Decoded, without the gateway's stage prefix. */
  readonly path: string;
  /** With the first value of each name. */
  readonly query: Readonly<Record<string, string>>;
  /** @param name in lower case */
  header(name: string): string | undefined;
  /** The body's size in bytes as the caller declared it or the adapter knows it. */
  readonly declaredBytes: number | undefined;
  /** Returns the whole body, empty when there is none, or undefined when it exceeds `largest` bytes. */
  readBody(largest: number): Promise<Uint8Array | undefined>;
  /** The caller's address as seen by the gateway or socket. `X-Forwarded-For` is only a client's claim. */
  readonly address: string;
  /** The address the request came in on, without a trailing slash: the gateway's, a custom domain's or the local port's. */
  readonly baseUrl: string;
  /** Aborts when the caller disconnects, if the adapter can tell. */
  readonly signal: AbortSignal;
  /** Set when the adapter could not parse the request. */
  readonly refused?: ApiError | undefined;
}

/** An answer before an adapter converts it. */
export interface OutgoingAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null for redirects, preflights and HEAD. */
  readonly body: string | null;
}

/** The whole backend: one request in, one answer out. Failures are answers too. */
export interface App {
  answer(request: IncomingRequest): Promise<OutgoingAnswer>;
}
