import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

export type SignatureVerdict =
  | { readonly good: true; readonly payloadHash: string }
  | {
      readonly good: false;
      readonly code: 'AccessDenied' | 'SignatureDoesNotMatch' | 'InvalidAccessKeyId' | 'RequestExpired';
    };

const UNSIGNED = 'UNSIGNED-PAYLOAD';
/** How long AWS accepts a request signed in its header. */
const HEADER_LIFE_MS = 15 * 60 * 1000;

/**
 * Verifies AWS Signature Version 4, in the Authorization header or in a presigned URL: key, signature, time, and that
 * all `x-amz-` headers are signed.
 *
 * @param body of a request to a service other than S3: those sign the body's hash without a header for it, and the path
 * as if it were not encoded yet
 */
export function verifySignature(
  request: IncomingMessage,
  key: AccessKey,
  now: number,
  { body }: { readonly body?: Buffer } = {},
): SignatureVerdict {
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const presigned = url.searchParams.get('X-Amz-Algorithm') !== null;
  const claim = presigned ? fromQuery(url.searchParams) : fromHeader(request);
  if (claim === undefined) return { good: false, code: 'AccessDenied' };
  const [id, date, region, service, terminator] = claim.credential.split('/');
  if (id !== key.id) return { good: false, code: 'InvalidAccessKeyId' };
  if (!date || !region || !service || terminator !== 'aws4_request') return { good: false, code: 'AccessDenied' };
  if (now > claim.expires || now < claim.signedAt - HEADER_LIFE_MS) return { good: false, code: 'RequestExpired' };
  const unsigned = Object.keys(request.headers).some(
    (name) => name.startsWith('x-amz-') && !claim.headers.includes(name),
  );
  if (unsigned) return { good: false, code: 'AccessDenied' };

  const canonical = [
    request.method ?? 'GET',
    body === undefined ? url.pathname : url.pathname.split('/').map(encode).join('/'),
    canonicalQuery(url.searchParams),
    ...claim.headers.map((name) => `${name}:${headerValue(request, name)}`),
    '',
    claim.headers.join(';'),
    body === undefined ? claim.payloadHash : createHash('sha256').update(body).digest('hex'),
  ].join('\n');
  const scope = `${date}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', claim.amzDate, scope, createHash('sha256').update(canonical).digest('hex')].join(
    '\n',
  );
  const expected = createHmac('sha256', signingKey(key.secret, scope)).update(text).digest();
  const given = Buffer.from(claim.signature, 'hex');
  const same = given.length === expected.length && timingSafeEqual(given, expected);
  return same ? { good: true, payloadHash: claim.payloadHash } : { good: false, code: 'SignatureDoesNotMatch' };
}

/** The key of the last request: it changes once a day. */
let lastKey: { readonly secret: string; readonly scope: string; readonly key: Buffer } | undefined;

/** @param scope day, region, service and terminator */
function signingKey(secret: string, scope: string): Buffer {
  if (lastKey?.secret === secret && lastKey.scope === scope) return lastKey.key;
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  lastKey = { secret, scope, key: Buffer.from(key) };
  return lastKey.key;
}

interface Claim {
  readonly credential: string;
  readonly amzDate: string;
  readonly headers: readonly string[];
  readonly signature: string;
  readonly payloadHash: string;
  /** Milliseconds since 1970. */
  readonly signedAt: number;
  readonly expires: number;
}

function fromQuery(query: URLSearchParams): Claim | undefined {
  const amzDate = query.get('X-Amz-Date') ?? '';
  const signedAt = parseAmzDate(amzDate);
  const seconds = Number(query.get('X-Amz-Expires'));
  const [credential, headers, signature] = ['X-Amz-Credential', 'X-Amz-SignedHeaders', 'X-Amz-Signature'].map((name) =>
    query.get(name),
  );
  if (!credential || !headers || !signature || signedAt === undefined || !(seconds > 0)) return undefined;
  const expires = signedAt + seconds * 1000;
  return { credential, amzDate, headers: headers.split(';'), signature, payloadHash: UNSIGNED, signedAt, expires };
}

function fromHeader(request: IncomingMessage): Claim | undefined {
  const parts = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)$/.exec(
    request.headers.authorization ?? '',
  );
  const amzDate = String(request.headers['x-amz-date'] ?? '');
  const signedAt = parseAmzDate(amzDate);
  const [, credential, headers, signature] = parts ?? [];
  if (!credential || !headers || !signature || signedAt === undefined) return undefined;
  const payloadHash = String(request.headers['x-amz-content-sha256'] ?? UNSIGNED);
  const expires = signedAt + HEADER_LIFE_MS;
  return { credential, amzDate, headers: headers.split(';'), signature, payloadHash, signedAt, expires };
}

function parseAmzDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compare(x, y) : compare(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function headerValue(request: IncomingMessage, name: string): string {
  const value = request.headers[name];
  return (Array.isArray(value) ? value.join(',') : (value ?? '')).trim().replace(/\s+/g, ' ');
}
