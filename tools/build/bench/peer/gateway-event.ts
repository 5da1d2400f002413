/** A request as HTTP API hands it to a function: payload format 2.0. */
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
  readonly isBase64Encoded: false;
}

export interface GatewayRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const HOST = 'api.example.com';

/** @param request its body is sent as JSON */
export function gatewayEvent({ method, path, headers = {}, body }: GatewayRequest): GatewayEvent {
  const [rawPath = '', rawQueryString = ''] = path.split('?');
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  return {
    version: '2.0',
    routeKey: `${method} ${rawPath}`,
    rawPath,
    rawQueryString,
    headers: { host: HOST, accept: '*/*', 'user-agent': 'bench', ...json, ...headers },
    requestContext: {
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'bench' },
      requestId: 'bench',
      stage: '$default',
      domainName: HOST,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
