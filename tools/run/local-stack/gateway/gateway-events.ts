import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

interface RequestContext<Route extends string, Type extends string> {
  readonly routeKey: Route;
  readonly eventType: Type;
  readonly extendedRequestId: string;
  /** Like `09/Feb/2024:18:11:43 +0000`. */
  readonly requestTime: string;
  readonly messageDirection: 'IN';
  readonly stage: string;
  /** Milliseconds since 1970, as all times here. */
  readonly connectedAt: number;
  readonly requestTimeEpoch: number;
  readonly identity: { readonly sourceIp: string; readonly userAgent?: string };
  readonly requestId: string;
  readonly domainName: string;
  readonly connectionId: string;
  readonly apiId: string;
}

interface Headers {
  readonly headers: Readonly<Record<string, string>>;
  readonly multiValueHeaders: Readonly<Record<string, readonly string[]>>;
}

export interface ConnectEvent extends Headers {
  /** Absent when the address has no query. */
  readonly queryStringParameters?: Readonly<Record<string, string>>;
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[]>>;
  readonly requestContext: RequestContext<'$connect', 'CONNECT'>;
  readonly isBase64Encoded: false;
}

export interface MessageEvent {
  readonly requestContext: RequestContext<'$default', 'MESSAGE'> & { readonly messageId: string };
  readonly body: string;
  readonly isBase64Encoded: false;
}

export interface DisconnectEvent extends Headers {
  readonly requestContext: RequestContext<'$disconnect', 'DISCONNECT'> & {
    readonly disconnectStatusCode: number;
    readonly disconnectReason: string;
  };
  readonly isBase64Encoded: false;
}

/** What API Gateway hands to the function of a WebSocket API. */
export type GatewayEvent = ConnectEvent | MessageEvent | DisconnectEvent;

/** A connection as its events describe it. */
export interface ConnectionFacts {
  readonly connectionId: string;
  readonly connectedAt: number;
  readonly sourceIp: string;
  readonly userAgent?: string | undefined;
  readonly domainName: string;
  readonly stage: string;
  readonly apiId: string;
}

/** An id in API Gateway's form: 11 bytes, so that base64 ends in “=”. */
export function gatewayId(): string {
  return randomBytes(11).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

export function connectEvent(facts: ConnectionFacts, request: IncomingMessage, now: number): ConnectEvent {
  const query = new URL(request.url ?? '/', 'http://gateway').searchParams;
  const names = [...new Set(query.keys())];
  return {
    ...headersOf(request),
    ...(names.length === 0
      ? {}
      : {
          queryStringParameters: Object.fromEntries(names.map((name) => [name, query.getAll(name).at(-1) ?? ''])),
          multiValueQueryStringParameters: Object.fromEntries(names.map((name) => [name, query.getAll(name)])),
        }),
    requestContext: context('$connect', 'CONNECT', facts, now),
    isBase64Encoded: false,
  };
}

export function messageEvent(facts: ConnectionFacts, body: string, now: number): MessageEvent {
  return {
    requestContext: { ...context('$default', 'MESSAGE', facts, now), messageId: gatewayId() },
    body,
    isBase64Encoded: false,
  };
}

export function disconnectEvent(facts: ConnectionFacts, code: number, reason: string, now: number): DisconnectEvent {
  const headers = { Host: facts.domainName, 'x-api-key': '', 'X-Forwarded-For': '', 'x-restapi': '' };
  return {
    headers,
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    requestContext: {
      ...context('$disconnect', 'DISCONNECT', facts, now),
      disconnectStatusCode: code,
      disconnectReason: reason || (REASONS[code] ?? ''),
    },
    isBase64Encoded: false,
  };
}

/** What API Gateway says when the side that closed gave no reason. */
const REASONS: Readonly<Record<number, string>> = {
  1000: 'Connection Closed Normally',
  1001: 'Going away',
  1005: 'Client-side close frame status not set',
  1006: 'Connection Closed Abnormally',
};

function context<Route extends string, Type extends string>(
  routeKey: Route,
  eventType: Type,
  facts: ConnectionFacts,
  now: number,
): RequestContext<Route, Type> {
  const requestId = gatewayId();
  return {
    routeKey,
    eventType,
    extendedRequestId: requestId,
    requestTime: logTime(now),
    messageDirection: 'IN',
    stage: facts.stage,
    connectedAt: facts.connectedAt,
    requestTimeEpoch: now,
    identity: {
      ...(facts.userAgent === undefined ? {} : { userAgent: facts.userAgent }),
      sourceIp: facts.sourceIp,
    },
    requestId,
    domainName: facts.domainName,
    connectionId: facts.connectionId,
    apiId: facts.apiId,
  };
}

/** Headers that belong to one connection between two machines do not reach the function. */
const BETWEEN_MACHINES: ReadonlySet<string> = new Set(['connection', 'upgrade']);

/** Names keep the case in which the client sent them, as they do at API Gateway. */
function headersOf({ rawHeaders, socket }: IncomingMessage): Headers {
  const all: Record<string, string[]> = {
    'X-Forwarded-For': [socket.remoteAddress ?? ''],
    'X-Forwarded-Port': [String(socket.localPort ?? '')],
    'X-Forwarded-Proto': ['http'],
  };
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!BETWEEN_MACHINES.has(name.toLowerCase())) all[name] = [...(all[name] ?? []), value];
  }
  return {
    headers: Object.fromEntries(Object.entries(all).map(([name, values]) => [name, values.at(-1) ?? ''])),
    multiValueHeaders: all,
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function logTime(ms: number): string {
  const [date = '', time = ''] = new Date(ms).toISOString().split(/[T.]/);
  const [year, month, day] = date.split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${time} +0000`;
}
