import { crc32 } from 'node:zlib';
import type { Randomness } from '../../ids.ts';
import { traced } from '../../observability/tracing.ts';
import { type Dependency, isUnavailable, whileAvailable } from '../../resilience/dependency.ts';
import { retry } from '../../resilience/retry.ts';
import { type ConnectionLimits, createConnection, type RawAnswer } from './connection.ts';
import { BrokenAnswerError, serviceError } from './service-error.ts';
import { type AwsCredentials, createSigner, type SignedForm, sha256, signedHeaders, signingTime } from './signature.ts';

/** An AWS service that speaks JSON: one address, one operation per request. */
export interface JsonService {
  /**
   * Calls an operation, with up to three attempts within the time that the request can still afford.
   *
   * @param operation e.g. `GetItem`
   * @throws ServiceError when the service refuses; DependencyUnavailableError when it can't be reached or fails
   */
  call(operation: string, input: object, signal?: AbortSignal): Promise<Readonly<Record<string, unknown>>>;
}

export interface JsonServiceOptions {
  readonly dependency: Dependency;
  /** Its name in spans. */
  readonly spanName: string;
  /** Its name in signatures. */
  readonly signingName: string;
  /** Stands before the operation, e.g. `DynamoDB_20120810`. */
  readonly targetPrefix: string;
  readonly jsonVersion: '1.0' | '1.1';
  readonly endpoint: URL;
  readonly region: string;
  readonly limits: ConnectionLimits;
  readonly credentials: () => Promise<AwsCredentials>;
  readonly randomness: Pick<Randomness, 'fraction'>;
}

/** Pauses of up to 50 and 100 ms, as the AWS SDKs take them for DynamoDB. */
const RETRY = { attempts: 3, baseMs: 50 } as const;

export function createJsonService(options: JsonServiceOptions): JsonService {
  const { dependency, spanName, endpoint, targetPrefix, credentials, randomness } = options;
  const connection = createConnection(endpoint, options.limits);
  const signer = createSigner(options.region, options.signingName);
  const contentType = `application/x-amz-json-${options.jsonVersion}`;
  const attributes = { 'rpc.system': 'aws-api', 'rpc.service': spanName };

  const attempt = async (target: string, body: string, bodyHash: string, signal: AbortSignal) => {
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
    const time = signingTime(Date.now());
    const form: SignedForm = {
      method: 'POST',
      path: endpoint.pathname,
      query: '',
      headers: [
        ['content-type', contentType],
        ['host', endpoint.host],
        ['x-amz-date', time],
        ...(sessionToken === undefined ? [] : [['x-amz-security-token', sessionToken] as const]),
        ['x-amz-target', target],
      ],
      bodyHash,
    };
    const signature = signer.sign(form, secretAccessKey, time);
    const authorization =
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${signer.scope(time)}, ` +
      `SignedHeaders=${signedHeaders(form)}, Signature=${signature}`;
    const headers = [
      ...form.headers.flat(),
      ...['content-length', String(Buffer.byteLength(body))],
      ...['user-agent', 'autowatering-backend', 'authorization', authorization],
    ];
    return read(await connection.post(headers, body, signal));
  };

  return {
    call: (operation, input, callerSignal) =>
      traced(`${spanName}.${operation}`, attributes, () =>
        whileAvailable(dependency, (limit) => {
          const signal = callerSignal === undefined ? limit : AbortSignal.any([limit, callerSignal]);
          const body = JSON.stringify(input);
          const bodyHash = sha256(body);
          const target = `${targetPrefix}.${operation}`;
          const isWorthRetrying = (error: unknown) => !signal.aborted && isTransient(error);
          return retry(RETRY, randomness, isWorthRetrying, () => attempt(target, body, bodyHash, signal));
        }),
      ),
  };
}

/** A container that was frozen between signing and sending has an expired signature; the next one is fresh. */
function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    isUnavailable(error) || (error.name === 'InvalidSignatureException' && error.message.includes('Signature expired'))
  );
}

function read({ status, headers, body }: RawAnswer): Readonly<Record<string, unknown>> {
  const checksum = headers['x-amz-crc32'];
  if (typeof checksum === 'string' && Number(checksum) !== crc32(body)) {
    throw new BrokenAnswerError('the answer does not match its checksum');
  }
  const text = body.toString('utf8');
  if (status < 200 || status >= 300) throw serviceError(status, headers['x-amzn-errortype'], text);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new BrokenAnswerError('the answer is not JSON', { cause: error });
  }
  if (!isFields(parsed)) throw new BrokenAnswerError('the answer is not an object');
  return parsed;
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
