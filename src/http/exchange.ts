import type { ApiError } from './errors.ts';

/** A request as an adapter hands it over: Lambda's event, or a request of the local server. */
export interface IncomingRequest {
  readonly method: string;
  /** Decoded, without the gateway's stage in front. */
  readonly path: string;
  /** The first value of each name. */
  readonly query: Readonly<Record<string, string>>;
  /** @param name in lower case */
  header(name: string): string | undefined;
  /** What the caller says, or the adapter knows, of the body's size in bytes. */
  readonly declaredBytes: number | undefined;
  /**
   * The whole body; empty when there is none, undefined when it has more bytes than that.
   */
  readBody(largest: number): Promise<Uint8Array | undefined>;
  /** The caller's address as the gateway or the socket saw it; `X-Forwarded-For` is only what a client claims. */
  readonly address: string;
  /** Where the request came in, without a slash at the end: the gateway's name, a custom domain, or the local port. */
  readonly baseUrl: string;
  /** Aborted when the caller has hung up, where the adapter can tell. */
  readonly signal: AbortSignal;
  /** Why the request can't be served, when the adapter could not make sense of it. */
  readonly refused?: ApiError | undefined;
}

/** An answer before an adapter puts it into its own form. */
export interface OutgoingAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null where there is none: redirects, preflights, HEAD. */
  readonly body: string | null;
}

/** The whole backend: one request in, one answer out, and no failure that is not an answer. */
export interface App {
  answer(request: IncomingRequest): Promise<OutgoingAnswer>;
}
