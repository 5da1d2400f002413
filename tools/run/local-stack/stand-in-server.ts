import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { isBusy, portOf } from './process/ports.ts';

/** How a stand-in should fail, until changed or `times` is used up. */
export interface Fault {
  /** Only requests whose method, URL and AWS operation match, e.g. `^PUT /` or `PutItem`. */
  readonly match?: string;
  readonly latencyMs?: number;
  /** Holds the request until this resolves; for tests in the same process. */
  readonly until?: Promise<unknown>;
  /** Responds with this status instead of the real response. */
  readonly status?: number;
  readonly body?: string;
  /** Never responds; the caller's timeout has to end it. */
  readonly hang?: boolean;
  /** Closes the connection without a response. */
  readonly drop?: boolean;
  /** Sends less than announced, and closes the connection in the middle. */
  readonly half?: boolean;
  readonly times?: number;
}

export interface StandIn {
  readonly url: string;
  /** Sets the faults of later requests; an empty list restores normal operation. */
  setFaults(faults: readonly Fault[]): void;
  /** Returns how many requests have failed so far because of a fault. */
  faultsMet(): number;
  /** Called when a caller ends a request before the response. */
  onHangUp(listener: () => void): void;
  stop(): Promise<void>;
}

export type StandInHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** For people and other processes: `curl -X PUT -d '[{"status":503}]' URL/_faults`. */
const FAULTS_PATH = '/_faults';

/** Longer than callers keep idle connections: Node's default of five seconds causes a race on busy machines. */
const IDLE_MS = 65_000;

/** Starts an HTTP server on loopback with a handler, or faults that replace it. */
export async function startStandIn(handler: StandInHandler, preferredPort: number | undefined): Promise<StandIn> {
  let faults: { fault: Fault; left: number }[] = [];
  let met = 0;
  let hungUp = () => {};
  const setFaults = (list: readonly Fault[]) => {
    faults = list.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.url === FAULTS_PATH && request.method === 'PUT') {
      setFaults(JSON.parse((await readAll(request)).toString('utf8')));
      response.writeHead(204).end();
      return;
    }
    const name = `${request.method} ${request.url} ${request.headers['x-amz-target'] ?? ''}`;
    const active = faults.find(({ fault, left }) => left > 0 && (!fault.match || new RegExp(fault.match).test(name)));
    if (active !== undefined) {
      active.left -= 1;
      met += 1;
      const { latencyMs, until, hang, drop, half, status, body } = active.fault;
      if (latencyMs !== undefined) await delay(latencyMs);
      await until;
      if (hang === true) return;
      if (drop === true) {
        request.socket.destroy();
        return;
      }
      if (half === true) {
        request.resume();
        response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
        response.write('{"half":', () => request.socket.destroy());
        return;
      }
      if (status !== undefined) {
        request.resume();
        response.writeHead(status, { 'Content-Type': 'text/plain' }).end(body ?? 'told to fail');
        return;
      }
    }
    await handler(request, response);
  };

  const server = createServer({ keepAliveTimeout: IDLE_MS }, (request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) hungUp();
    });
    serve(request, response).catch((error: unknown) => {
      if (request.socket.destroyed) return;
      response.writeHead(500, { 'Content-Type': 'text/plain' });
      response.end(error instanceof Error ? error.message : String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.on('error', (error) => {
      if (isBusy(error) && preferredPort !== undefined && !server.listening) server.listen(0, '127.0.0.1');
      else reject(error);
    });
    server.listen(preferredPort ?? 0, '127.0.0.1');
  });
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    setFaults,
    faultsMet: () => met,
    onHangUp(listener) {
      hungUp = listener;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function readAll(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const cutOff = () => reject(new Error('the request ended early'));
    if (request.destroyed) return cutOff();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', cutOff);
  });
}
