import { createServer, IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import { ApiError } from '../errors.ts';
import type { Bindings } from './fetch-adapter.ts';
import { unreadable } from './unreadable.ts';

/** Longer than apps keep idle connections. With Node's five seconds, a request may hit a connection being closed. */
const IDLE_MS = 65_000;
/** How long the rest of an unread body may take; then the connection is closed with the answer. */
const DISCARD_MS = 2_000;

type Fetch = (request: Request, bindings: Bindings) => Response | Promise<Response>;

/**
 * Creates Node's HTTP server for the app, not listening yet. Requests that Node or the adapter can't parse are rejected
 * through the app too, so every answer has the same form.
 */
export function createNodeServer(fetch: Fetch): Server {
  const refuse = async (error: unknown): Promise<Response> =>
    fetch(new Request('http://localhost/'), { refused: refusalOf(error) });
  const listener = getRequestListener(
    async (request, { incoming, outgoing }) => {
      if (!(incoming instanceof IncomingMessage)) throw new RequestError('not HTTP/1');
      const response = await fetch(request, { incoming });
      // The rest of an unread body would block the next request on this connection.
      if (!(await isDiscarded(incoming))) outgoing.setHeader('Connection', 'close');
      return response;
    },
    { errorHandler: refuse },
  );
  const server = createServer({ keepAliveTimeout: IDLE_MS, requireHostHeader: false }, listener);
  server.on('checkExpectation', listener);
  server.on('clientError', (error, socket) => refuseOn(socket, refuse(new RequestError(error.message))));
  server.on('connect', (_request, socket) => refuseOn(socket, refuse(new RequestError('CONNECT'))));
  return server;
}

function refusalOf(error: unknown): ApiError {
  if (error instanceof RequestError) return unreadable(error);
  return new ApiError('internal_error', 'Something went wrong on our side. Please try again.', { cause: error });
}

/** Discards the rest of a body. Returns false when that takes too long; the connection can't be reused then. */
async function isDiscarded(incoming: IncomingMessage): Promise<boolean> {
  if (incoming.complete || incoming.destroyed) return true;
  // The adapter's stream pauses the request when it isn't read.
  incoming.removeAllListeners('data');
  incoming.resume();
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), DISCARD_MS);
    const done = () => {
      clearTimeout(timer);
      resolve(true);
    };
    incoming.once('end', done).once('close', done).once('error', done);
  });
}

/** Answers on the bare socket when Node could not parse a request. */
function refuseOn(socket: Duplex, answer: Promise<Response>): void {
  const send = async () => {
    const response = await answer;
    const body = await response.text();
    const head = [
      `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ''}`,
      ...[...response.headers].map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  };
  send().catch(() => socket.destroy());
}
