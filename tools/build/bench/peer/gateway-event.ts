/** A request as HTTP API passes it to a function: payload format 2.0. */
export interface GatewayEvent {
  readonly version: '2.0';
  readonly routeKey: string;
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requestContext: {
    readonly http: {
      readonly method: string;
      readonly path: string;
      readonly protocol: 'HTTP/1.1';
      readonly sourceIp: string;
      readonly userAgent: string;
    };
    readonly requestId: string;
    readonly stage: '$default';
    readonly domainName: string;
  };
  readonly body?: string;
  readonly isBase64Encoded: boolean;
}

export interface GatewayRequest {
  readonly method: 'GET' | 'POST';
  /** Including the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent unchanged, instead of `body`. */
  readonly raw?: string | RawBody;
  readonly address?: string;
}

/** Bytes, which HTTP API passes on as base64. */
export interface RawBody {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

const HOST = 'api.example.com';

/** Builds a request's event as the gateway does, with lower-case header names. */
export function gatewayEvent(request: GatewayRequest): GatewayEvent {
  const { method, path, headers = {}, address = '127.0.0.1' } = request;
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  const { contentType, ...body } = bodyOf(request);
  return {
    version: '2.0',
    routeKey: `${method} ${rawPath}`,
    rawPath,
    rawQueryString,
    headers: {
      ...{ host: HOST, accept: '*/*', 'user-agent': 'bench' },
      ...(contentType === undefined ? {} : { 'content-type': contentType }),
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    },
    requestContext: {
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: address, userAgent: 'bench' },
      requestId: 'bench',
      stage: '$default',
      domainName: HOST,
    },
    ...body,
  };
}

function bodyOf({ body, raw }: GatewayRequest) {
  if (typeof raw === 'string') return { contentType: 'application/json', body: raw, isBase64Encoded: false };
  if (raw !== undefined) {
    return { contentType: raw.contentType, body: Buffer.from(raw.bytes).toString('base64'), isBase64Encoded: true };
  }
  if (body === undefined) return { isBase64Encoded: false };
  return { contentType: 'application/json', body: JSON.stringify(body), isBase64Encoded: false };
}
