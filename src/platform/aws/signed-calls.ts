import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../clock.ts';
import { once } from '../once.ts';
import { TimeLimitError } from '../resilience/time-limit.ts';
import {
  type AwsCredentials,
  createSigner,
  type SignedForm,
  sha256,
  signedHeaders,
  signingTime,
} from './json/signature.ts';

export interface SignedAnswer {
  readonly status: number;
  readonly body: string;
}

/** The request did not reach the service as far as can be told, so that repeating it does nothing twice. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError';
}

/**
 * Sends one signed request and reads the whole answer, whatever its status.
 *
 * @param path below the endpoint, encoded as it is sent
 * @throws NotSentError; TimeLimitError; Node's network errors
 */
export type SignedCall = (method: 'POST' | 'GET' | 'DELETE', path: string, body?: string) => Promise<SignedAnswer>;

export interface SignedCallsOptions {
  /** Without a slash at the end; may contain a path. */
  readonly endpoint: string;
  readonly region: string;
  /** Its name in signatures, e.g. `execute-api`. */
  readonly service: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** JSON by default. */
  readonly contentType?: string;
  /** Further headers of every request; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** As many as the AWS SDK allows; further requests wait for a free one. */
const MOST_SOCKETS = 50;

/** Calls an AWS service over HTTP(S) that has no client of ours, over connections that are kept open. */
export function createSignedCalls(options: SignedCallsOptions): SignedCall {
  const { endpoint, region, service, timeoutMs, clock, contentType = 'application/json' } = options;
  const base = new URL(endpoint);
  const prefix = base.pathname.replace(/\/$/, '');
  const { request, Agent } = base.protocol === 'http:' ? http : https;
  const target = {
    host: base.hostname.replace(/^\[|\]$/g, ''),
    port: base.port,
    agent: new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS }),
  };
  const signer = createSigner(region, service);
  const credentials = once(async () => (await import('./credentials.ts')).awsCredentials());

  const send = (method: string, path: string, headers: readonly string[], body: string): Promise<SignedAnswer> =>
    new Promise((resolve, reject) => {
      const sent = request({ ...target, method, path, headers });
      const chunks: Buffer[] = [];
      const timer = setTimeout(() => sent.destroy(new TimeLimitError(`no answer within ${timeoutMs} ms`)), timeoutMs);
      sent.on('error', (error) => {
        clearTimeout(timer);
        reject(isNotSent(error, sent.reusedSocket) ? new NotSentError(error.message, { cause: error }) : error);
      });
      sent.on('response', (answer) => {
        answer.on('error', (error) => sent.destroy(error));
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => {
          clearTimeout(timer);
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      sent.end(body);
    });

  return async (method, path, body = '') => {
    const key: AwsCredentials = await (await credentials())();
    const time = signingTime(clock.now());
    const sentPath = `${prefix}${path}`;
    const form: SignedForm = {
      method,
      // Services other than S3 sign the path as if it were not encoded yet.
      path: sentPath.split('/').map(encodeURIComponent).join('/'),
      query: '',
      headers: [
        ['content-type', contentType] as const,
        ['host', base.host] as const,
        ['x-amz-date', time] as const,
        ...(key.sessionToken === undefined ? [] : [['x-amz-security-token', key.sessionToken] as const]),
        ...Object.entries(options.headers ?? {}),
      ].sort(([a], [b]) => (a < b ? -1 : 1)),
      bodyHash: sha256(body),
    };
    const signature = signer.sign(form, key.secretAccessKey, time);
    const authorization =
      `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${signer.scope(time)}, ` +
      `SignedHeaders=${signedHeaders(form)}, Signature=${signature}`;
    const headers = [
      ...form.headers.flat(),
      ...['content-length', String(Buffer.byteLength(body)), 'user-agent', 'autowatering-backend'],
      ...['authorization', authorization],
    ];
    return send(method, sentPath, headers, body);
  };
}

/** A kept connection may be closed by the other side while a container is frozen; nothing was read from it then. */
function isNotSent(error: Error, isReused: boolean): boolean {
  const code = 'code' in error ? error.code : undefined;
  return code === 'ECONNREFUSED' || (isReused && (code === 'ECONNRESET' || code === 'EPIPE'));
}
