import http from 'node:http';
import https from 'node:https';
import { CallTimeoutError } from './service-error.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface ConnectionLimits {
  /** Milliseconds until a new connection must be established. */
  readonly connectMs: number;
  /** Milliseconds without a sign of life from the service. */
  readonly silentMs: number;
}

export interface Connection {
  /**
   * Sends one request and reads the whole answer.
   *
   * @param headers names and values in turn
   * @throws CallTimeoutError; Node's network errors; the signal's reason
   */
  post(headers: readonly string[], body: string, signal: AbortSignal): Promise<RawAnswer>;
}

/** As many as the AWS SDK allows; further requests wait for a free one. */
const MOST_SOCKETS = 50;

/** Connects to one address over HTTP(S), and keeps connections open for later requests. */
export function createConnection(address: URL, { connectMs, silentMs }: ConnectionLimits): Connection {
  const { request, Agent } = address.protocol === 'http:' ? http : https;
  const options: http.RequestOptions = {
    method: 'POST',
    host: address.hostname.replace(/^\[|\]$/g, ''),
    port: address.port,
    path: address.pathname,
    agent: new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
  };

  return {
    post: (headers, body, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted();
        // Headers as a list are sent as they are, which saves Node checking them one by one.
        const sent = request({ ...options, headers });
        const chunks: Buffer[] = [];
        let connecting: NodeJS.Timeout | undefined;

        const finish = () => {
          clearTimeout(connecting);
          clearTimeout(silence);
          signal.removeEventListener('abort', onAbort);
        };
        const fail = (error: unknown) => {
          finish();
          reject(error);
          sent.destroy();
        };
        const onAbort = () => fail(signal.reason);
        const silence = setTimeout(() => fail(new CallTimeoutError(`no answer within ${silentMs} ms`)), silentMs);

        signal.addEventListener('abort', onAbort);
        sent.on('error', fail);
        sent.on('socket', (socket) => {
          if (!socket.connecting) return;
          const late = () => fail(new CallTimeoutError(`no connection within ${connectMs} ms`));
          connecting = setTimeout(late, connectMs);
          socket.once('connect', () => clearTimeout(connecting));
        });
        sent.on('response', (answer) => {
          answer.on('error', fail);
          answer.on('data', (chunk: Buffer) => {
            chunks.push(chunk);
            silence.refresh();
          });
          answer.on('end', () => {
            finish();
            const [only] = chunks;
            const whole = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: whole });
          });
        });
        sent.end(body);
      }),
  };
}
