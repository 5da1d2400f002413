import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readAll, type StandIn, startStandIn } from '../stand-in-server.ts';
import { type Objects, openObjects, type StoredObject } from './s3-objects.ts';
import { type AccessKey, verifySignature } from './signature-v4.ts';

export interface S3Options {
  readonly directory: string;
  readonly bucket: string;
  readonly accessKey: AccessKey;
  readonly preferredPort?: number;
  /** Milliseconds since 1970; tests move it to let URLs expire. */
  readonly now?: () => number;
}

class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * The part of S3 that the product uses, path-style, for one bucket. Faithful where it matters: signatures and expiry,
 * signed headers and lengths, SHA-256 checksums, conditional writes and copies, ranges.
 */
export async function startS3(options: S3Options): Promise<StandIn> {
  const objects = await openObjects(options.directory);
  const now = options.now ?? Date.now;

  return startStandIn(async (request, response) => {
    if (request.method === 'OPTIONS') {
      answerPreflight(response);
      return;
    }
    try {
      await serve(request, response, objects, options, now());
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      request.resume();
      const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${error.code}</Code><Message>${error.message}</Message></Error>`;
      response.writeHead(error.status, { 'Content-Type': 'application/xml', 'Access-Control-Allow-Origin': '*' });
      response.end(request.method === 'HEAD' ? undefined : xml);
    }
  }, options.preferredPort);
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  objects: Objects,
  options: S3Options,
  now: number,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://stand-in');
  const [, bucket = '', ...rest] = decodeURIComponent(url.pathname).split('/');
  const key = rest.join('/');
  const verdict = verifySignature(request, options.accessKey, now);
  if (!verdict.good) {
    const expired = verdict.code === 'RequestExpired';
    throw new S3Error(403, expired ? 'AccessDenied' : verdict.code, expired ? 'Request has expired' : verdict.code);
  }
  if (bucket !== options.bucket) throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
  const method = request.method ?? 'GET';
  if (key === '') {
    if (method === 'HEAD') response.writeHead(200).end();
    else if (method === 'GET' && url.searchParams.get('list-type') === '2') list(url, response, objects);
    else throw new S3Error(501, 'NotImplemented', `The stand-in does not support ${method} on a bucket`);
    return;
  }
  if (method === 'PUT') await put(request, response, objects, key, options.bucket, verdict.payloadHash);
  else if (method === 'GET' || method === 'HEAD') await get(request, response, objects, key, url);
  else if (method === 'DELETE') {
    const { lockedUntil } = objects.find(key) ?? {};
    if (lockedUntil !== undefined && Date.parse(lockedUntil) > now) {
      throw new S3Error(403, 'AccessDenied', 'Access Denied because object protected by object lock.');
    }
    await objects.remove(key);
    response.writeHead(204).end();
  } else throw new S3Error(501, 'NotImplemented', `The stand-in does not support ${method} on an object`);
}

async function put(
  request: IncomingMessage,
  response: ServerResponse,
  objects: Objects,
  key: string,
  bucket: string,
  payloadHash: string,
): Promise<void> {
  const source = request.headers['x-amz-copy-source'];
  if (typeof source === 'string') {
    await copy(request, response, objects, key, decodeURIComponent(source).replace(/^\/?/, ''), bucket);
    return;
  }
  if (request.headers['content-length'] === undefined) {
    throw new S3Error(411, 'MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const onlyNew = request.headers['if-none-match'] === '*';
  if (onlyNew && objects.find(key) !== undefined) throw preconditionFailed();
  const body = await readBody(request);
  if (/^[0-9a-f]{64}$/.test(payloadHash) && payloadHash !== createHash('sha256').update(body).digest('hex')) {
    throw new S3Error(400, 'XAmzContentSHA256Mismatch', 'The provided x-amz-content-sha256 does not match the body');
  }
  const given = request.headers['x-amz-checksum-sha256'];
  const checksum = typeof given === 'string' ? given : undefined;
  if (checksum !== undefined && checksum !== createHash('sha256').update(body).digest('base64')) {
    throw new S3Error(400, 'BadDigest', 'The SHA256 you specified did not match the calculated checksum.');
  }
  if (onlyNew && objects.find(key) !== undefined) throw preconditionFailed();
  const type = request.headers['content-type'] ?? 'application/octet-stream';
  const stored = await objects.put(key, body, type, checksum);
  response.writeHead(200, { ETag: stored.etag, 'Access-Control-Allow-Origin': '*' }).end();
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const body = await readAll(request);
  if (body.byteLength !== Number(request.headers['content-length'])) {
    throw new S3Error(400, 'IncompleteBody', 'The body ended before its Content-Length.');
  }
  return body;
}

async function copy(
  request: IncomingMessage,
  response: ServerResponse,
  objects: Objects,
  key: string,
  source: string,
  bucket: string,
): Promise<void> {
  const from = objects.find(source.startsWith(`${bucket}/`) ? source.slice(bucket.length + 1) : '');
  if (from === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
  const wanted = request.headers['x-amz-copy-source-if-match'];
  if (wanted !== undefined && wanted !== from.etag) throw preconditionFailed();
  const lock = request.headers['x-amz-object-lock-retain-until-date'];
  const lockedUntil = typeof lock === 'string' ? lock : undefined;
  const bytes = await objects.read(from.key);
  const stored = await objects.put(key, bytes, from.contentType, from.checksumSha256, lockedUntil);
  const xml = `<CopyObjectResult><ETag>${stored.etag.replaceAll('"', '&quot;')}</ETag><LastModified>${stored.modified}</LastModified></CopyObjectResult>`;
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(xml);
}

async function get(
  request: IncomingMessage,
  response: ServerResponse,
  objects: Objects,
  key: string,
  url: URL,
): Promise<void> {
  const object = objects.find(key);
  if (object === undefined) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
  const headers = factsHeaders(object, request, url);
  const range = rangeOf(request, object.sizeBytes);
  const [start, end] = range ?? [0, object.sizeBytes - 1];
  if (range !== undefined) headers['Content-Range'] = `bytes ${start}-${end}/${object.sizeBytes}`;
  headers['Content-Length'] = String(end - start + 1);
  response.writeHead(range === undefined ? 200 : 206, headers);
  if (request.method === 'HEAD') response.end();
  else response.end((await objects.read(key)).subarray(start, end + 1));
}

function factsHeaders(object: StoredObject, request: IncomingMessage, url: URL): Record<string, string> {
  const disposition = url.searchParams.get('response-content-disposition');
  const wantsChecksum = request.headers['x-amz-checksum-mode'] === 'ENABLED' && object.checksumSha256 !== undefined;
  return {
    ETag: object.etag,
    'Content-Type': object.contentType,
    'Last-Modified': new Date(object.modified).toUTCString(),
    'Accept-Ranges': 'bytes',
    'Access-Control-Allow-Origin': '*',
    ...(disposition === null ? {} : { 'Content-Disposition': disposition }),
    ...(wantsChecksum && object.checksumSha256 !== undefined ? { 'x-amz-checksum-sha256': object.checksumSha256 } : {}),
  };
}

function rangeOf(request: IncomingMessage, size: number): readonly [number, number] | undefined {
  const parts = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (parts === null) return undefined;
  const start = Number(parts[1]);
  if (start >= size) throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable');
  return [start, parts[2] ? Math.min(Number(parts[2]), size - 1) : size - 1];
}

const PAGE = 1000;

function list(url: URL, response: ServerResponse, objects: Objects): void {
  // The token is the last key returned, so that changes between pages don't shift the list.
  const after = url.searchParams.get('continuation-token') ?? url.searchParams.get('start-after') ?? '';
  const found = objects.keys(url.searchParams.get('prefix') ?? '').filter(({ key }) => key > after);
  const page = found.slice(0, Number(url.searchParams.get('max-keys') ?? PAGE));
  const contents = page
    .map(
      ({ key, sizeBytes, modified }) =>
        `<Contents><Key>${xmlText(key)}</Key><Size>${sizeBytes}</Size><LastModified>${modified}</LastModified></Contents>`,
    )
    .join('');
  const last = page.length < found.length ? page.at(-1)?.key : undefined;
  const token = last === undefined ? '' : `<NextContinuationToken>${xmlText(last)}</NextContinuationToken>`;
  const xml = `<ListBucketResult><IsTruncated>${last !== undefined}</IsTruncated><KeyCount>${page.length}</KeyCount>${token}${contents}</ListBucketResult>`;
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(xml);
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function answerPreflight(response: ServerResponse): void {
  const allow = { 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Methods': 'GET, HEAD, PUT' };
  response.writeHead(204, { ...allow, 'Access-Control-Allow-Headers': '*' }).end();
}

function preconditionFailed(): S3Error {
  return new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
}
