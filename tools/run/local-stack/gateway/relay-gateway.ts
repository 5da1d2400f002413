import type { IncomingMessage } from 'node:http';
import { createServer, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { isBusy, portOf } from '../process/ports.ts';
import type { AccessKey } from '../s3/signature-v4.ts';
import { readAll } from '../stand-in-server.ts';
import { connectionsEndpoint } from './connections-endpoint.ts';
import { frameLengths } from './frame-lengths.ts';
import { createFrameOrder } from './frame-order.ts';
import { type ConnectionFacts, connectEvent, disconnectEvent, gatewayId, messageEvent } from './gateway-events.ts';
import { GATEWAY_LIMITS, type GatewayLimits } from './gateway-limits.ts';
import { type Invoke, invocation } from './invocation.ts';
import { type GatewayManners, GOOD_MANNERS, Manners } from './manners.ts';
import { type OpenConnection, openConnection } from './open-connection.ts';

export type { GatewayEvent } from './gateway-events.ts';
export type { Invoke } from './invocation.ts';

export interface GatewayOptions {
  readonly stage: string;
  /** Signs the function's calls to `@connections`. */
  readonly accessKey: AccessKey;
  readonly limits?: Partial<GatewayLimits>;
  readonly preferredPort?: number;
  /** Milliseconds since 1970. Limits of time run by the real clock. */
  readonly now?: () => number;
}

export interface RelayGateway {
  /** Where clients connect. */
  readonly url: string;
  /** Where the function posts, without a slash at the end. */
  readonly endpoint: string;
  /** Sets the function; until then, and without one, clients are answered with 500. */
  deliverTo(invoke: Invoke | undefined): void;
  /** Changes the given manners; the others stay as they are. */
  setManners(manners: Partial<GatewayManners>): void;
  /** Ids of the connections that are open. */
  connections(): readonly string[];
  /** Cuts a connection off without a close frame, like a phone that leaves the network. */
  cut(connectionId: string): void;
  stop(): Promise<void>;
}

const UNSUPPORTED_DATA = 1003;
const TOO_BIG = 1009;
const MANNERS_PATH = '/_manners';

/** Starts API Gateway's WebSocket API on loopback: real sockets in front of a function, and `@connections` for it. */
export async function startGateway(options: GatewayOptions): Promise<RelayGateway> {
  const { stage, accessKey, now = Date.now } = options;
  const limits = { ...GATEWAY_LIMITS, ...options.limits };
  const open = new Map<string, { connection: OpenConnection; socket: WebSocket }>();
  let manners = GOOD_MANNERS;
  let isStopping = false;
  const subprotocols = new WeakMap<IncomingMessage, string>();
  const { deliverTo, call } = invocation(() => manners, limits.integrationMs);
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    clientTracking: false,
    maxPayload: limits.messageBytes,
    handleProtocols: (_offered, request) => subprotocols.get(request) ?? false,
  });
  const answer = connectionsEndpoint({
    ...{ stage, accessKey, limits, now },
    manners: () => manners,
    find: (id) => {
      const found = open.get(id);
      return found?.socket.readyState === WebSocket.OPEN ? found.connection : undefined;
    },
  });

  const server = createServer((request, response) => {
    const serve = async () => {
      if (request.url !== MANNERS_PATH || request.method !== 'PUT') return answer(request, response);
      const told = Manners.safeParse(JSON.parse((await readAll(request)).toString('utf8')));
      if (told.success) manners = { ...GOOD_MANNERS, ...told.data };
      response.writeHead(told.success ? 204 : 400).end(told.success ? undefined : told.error.message);
    };
    serve().catch((error: unknown) => {
      if (request.socket.destroyed) return;
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    });
  });

  const connect = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const facts: ConnectionFacts = {
      connectionId: gatewayId(),
      connectedAt: now(),
      sourceIp: request.socket.remoteAddress ?? '',
      userAgent: request.headers['user-agent'],
      domainName: request.headers.host ?? '',
      stage,
      apiId: 'local',
    };
    const verdict = await call(connectEvent(facts, request, now()));
    const status = verdict.answered ? verdict.statusCode : verdict.status;
    if (status < 200 || status > 299) {
      refuse(socket, status, facts.connectionId);
      return;
    }
    if (verdict.answered && verdict.subprotocol !== undefined) subprotocols.set(request, verdict.subprotocol);
    if (socket.destroyed || isStopping) {
      await disconnected(facts, 1006, '');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => accept(client, request, facts));
  };

  const accept = (client: WebSocket, request: IncomingMessage, facts: ConnectionFacts) => {
    const connection = openConnection(facts, client, limits, now);
    const order = createFrameOrder(() => manners);
    let isRefused = false;
    const refuseData = (code: number) => {
      isRefused = true;
      connection.close(code);
    };
    open.set(facts.connectionId, { connection, socket: client });
    // Before the library reads the same bytes.
    request.socket.prependListener(
      'data',
      frameLengths((bytes) => {
        if (bytes > limits.frameBytes) refuseData(TOO_BIG);
      }),
    );
    client.on('message', (data, isBinary) => {
      if (isRefused) return;
      connection.touch();
      if (isBinary) refuseData(UNSUPPORTED_DATA);
      else order.add(() => frame(connection, textOf(data)));
    });
    client.on('ping', connection.touch);
    client.on('pong', connection.touch);
    // A broken frame: the library closes with the right code.
    client.on('error', () => {});
    client.on('close', (code, reason) => {
      open.delete(facts.connectionId);
      if (!isStopping) order.add(() => disconnected(facts, code, reason.toString('utf8')));
    });
  };

  const frame = async (connection: OpenConnection, body: string): Promise<void> => {
    const event = messageEvent(connection.facts, body, now());
    const verdict = await call(event);
    if (verdict.answered) return;
    // API Gateway tells the client itself, whatever the protocol is.
    const { connectionId, requestId } = event.requestContext;
    if (open.has(connectionId)) {
      connection.send(Buffer.from(JSON.stringify({ message: 'Internal server error', connectionId, requestId })));
    }
  };

  const disconnected = async (facts: ConnectionFacts, code: number, reason: string): Promise<void> => {
    if (!manners.losesDisconnects) await call(disconnectEvent(facts, code, reason, now()));
  };

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (new URL(request.url ?? '/', 'http://gateway').pathname !== `/${stage}`) refuse(socket, 403);
    else if (!isWebSocket(request)) refuse(socket, 400);
    else connect(request, socket, head).catch(() => socket.destroy());
  });
  await listen(server, options.preferredPort);
  const address = `127.0.0.1:${portOf(server)}/${stage}`;

  return {
    url: `ws://${address}`,
    endpoint: `http://${address}`,
    deliverTo,
    setManners(changed) {
      manners = { ...manners, ...changed };
    },
    connections: () => [...open.keys()],
    cut: (id) => open.get(id)?.socket.terminate(),
    stop: () =>
      new Promise((resolve) => {
        isStopping = true;
        for (const { socket } of open.values()) socket.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
    headers['sec-websocket-version'] === '13'
  );
}

/** Ends a handshake as API Gateway does: with a status, and nothing of the function's body. */
function refuse(socket: Duplex, status: number, connectionId?: string): void {
  const body = JSON.stringify({
    message: STATUS_CODES[status] ?? '',
    ...(connectionId === undefined ? {} : { connectionId, requestId: gatewayId() }),
  });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function textOf(data: WebSocket.RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}

function listen(server: ReturnType<typeof createServer>, preferredPort: number | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.on('error', (error) => {
      if (isBusy(error) && preferredPort !== undefined && !server.listening) server.listen(0, '127.0.0.1');
      else reject(error);
    });
    server.listen(preferredPort ?? 0, '127.0.0.1');
  });
}
