import type { App, IncomingRequest } from '../exchange.ts';
import { decodePath, normalizePath } from '../path.ts';
import { unreadable } from './unreadable.ts';

/** The parts we read of API Gateway's event (payload format 2.0). */
export interface GatewayEvent {
  readonly rawPath: string;
  readonly rawQueryString: string;
  /** HTTP API sends names in lower case; repeated headers are joined with commas. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
  readonly requestContext: {
    readonly stage?: string;
    readonly domainName?: string;
    readonly http: { readonly method: string; readonly sourceIp: string };
  };
}

export interface GatewayResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: false;
}

/** Creates the Lambda handler for API Gateway's payload format 2.0. */
export function createLambdaHandler(app: App): (event: GatewayEvent) => Promise<GatewayResult> {
  return async (event) => {
    const { status, headers, body } = await app.answer(requestOf(event));
    return { statusCode: status, headers, body: body ?? '', isBase64Encoded: false };
  };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const NO_BODY = new Uint8Array();

function requestOf(event: GatewayEvent): IncomingRequest {
  const { requestContext: context, rawQueryString: query } = event;
  const headers = inLowerCase(event.headers ?? {});
  const stage = context.stage === '$default' ? undefined : context.stage;
  const method = context.http.method.toUpperCase();
  const body = bodyOf(event, method);
  let signal: AbortSignal | undefined;
  return {
    method,
    path: normalizePath(decodePath(event.rawPath), stage),
    query: query === undefined || query === '' ? {} : firstValues(`?${query}`),
    header: (name) => headers[name]?.trim() || undefined,
    declaredBytes: body?.byteLength ?? 0,
    async readBody(largest) {
      if (body === undefined) return NO_BODY;
      return body.byteLength > largest ? undefined : body;
    },
    address: context.http.sourceIp,
    get baseUrl() {
      return `https://${context.domainName ?? headers['host'] ?? ''}${stage === undefined ? '' : `/${stage}`}`;
    },
    get signal() {
      // Never aborts: the gateway doesn't report when a caller disconnects.
      signal ??= new AbortController().signal;
      return signal;
    },
    refused: body === undefined && isBrokenBase64(event, method) ? unreadable() : undefined,
  };
}

type GatewayHeaders = NonNullable<GatewayEvent['headers']>;

/** Other senders of such events, as test tools and function URLs, may spell names as they like (RFC 9110, 5.1). */
function inLowerCase(headers: GatewayHeaders): GatewayHeaders {
  for (const name in headers) {
    if (name !== name.toLowerCase()) {
      return Object.fromEntries(Object.entries(headers).map(([spelled, value]) => [spelled.toLowerCase(), value]));
    }
  }
  return headers;
}

/** Returns the raw bytes. A GET's body has no meaning (RFC 9110, 9.3.1) and is ignored. */
function bodyOf(event: GatewayEvent, method: string): Uint8Array | undefined {
  const { body, isBase64Encoded = false } = event;
  if (!hasBody(method) || body === undefined || body === null || body === '') return undefined;
  if (isBase64Encoded) return isBrokenBase64(event, method) ? undefined : Buffer.from(body, 'base64');
  return Buffer.from(body, 'utf8');
}

function isBrokenBase64({ body, isBase64Encoded }: GatewayEvent, method: string): boolean {
  if (isBase64Encoded !== true || body === undefined || body === null || !hasBody(method)) return false;
  return !(BASE64.test(body) && body.length % 4 !== 1);
}

function hasBody(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/**
 * Reads a query as browsers do: `+` is a space. The first value of a repeated name counts.
 *
 * @param search the query with its question mark
 */
export function firstValues(search: string): Readonly<Record<string, string>> {
  const values = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(search)) {
    if (!values.has(name)) values.set(name, value);
  }
  return Object.fromEntries(values);
}
