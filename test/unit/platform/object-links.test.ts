import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectLinks } from '../../../src/platform/aws/object-links.ts';
import { portOf } from '../../../tools/run/local-stack/process/ports.ts';
import { verifySignature } from '../../../tools/run/local-stack/s3/signature-v4.ts';

const KEY = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const clock = { now: () => Date.parse('2026-11-20T12:00:00Z') };

beforeAll(() => {
  // As in the Lambda runtime: a role's credentials include a session token full of special characters.
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: KEY.id,
    AWS_SECRET_ACCESS_KEY: KEY.secret,
    AWS_SESSION_TOKEN: 'IQoJb3JpZ2luX2VjE/+/wEaDGV1LWNlbnRyYWwtMSJ==',
  });
});
afterAll(() => {
  delete process.env['AWS_SESSION_TOKEN'];
});

/** The request as the server receives it. */
async function arriving(url: string, init: RequestInit): Promise<IncomingMessage> {
  let seen: IncomingMessage | undefined;
  const server = createServer((request, response) => {
    seen = request;
    request.resume();
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { host, pathname, search } = new URL(url);
  await (await fetch(`http://127.0.0.1:${portOf(server)}${pathname}${search}`, init)).text();
  server.close();
  if (seen === undefined) throw new Error('nothing arrived');
  seen.headers.host = host;
  return seen;
}

/** SHA-256 as the SDK's signer expects it. */
class Sha256 {
  readonly #hash;
  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(key));
  }
  update(data: string | ArrayBuffer | ArrayBufferView) {
    this.#hash.update(bytesOf(data));
  }
  async digest() {
    return this.#hash.digest();
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

const PLACES = [
  [undefined, 'autowatering-artifacts.s3.eu-central-1.amazonaws.com', 'https:', undefined, ''],
  ['http://127.0.0.1:9000', '127.0.0.1:9000', 'http:', 9000, '/autowatering-artifacts'],
] as const;

describe('links to objects in S3', () => {
  it.each(PLACES)("have the AWS SDK's signature (server: %s)", async (endpoint, host, protocol, port, prefix) => {
    const ours = createObjectLinks('autowatering-artifacts', 'eu-central-1', endpoint, clock);
    const credentials = {
      accessKeyId: KEY.id,
      secretAccessKey: KEY.secret,
      sessionToken: process.env['AWS_SESSION_TOKEN'] ?? '',
    };
    const theirs = new S3RequestPresigner({ region: 'eu-central-1', credentials, sha256: Sha256 });
    const how = (expiresIn: number) => ({ expiresIn, signingDate: new Date(clock.now()) });
    const place = (path: string) => ({ protocol, hostname: host.split(':')[0] ?? '', path, ...(port && { port }) });
    const signature = (url: string) => new URL(url).searchParams.get('X-Amz-Signature');
    const word = fc.stringMatching(/^[a-z0-9][A-Za-z0-9_.-]{0,20}$/);
    const seconds = fc.integer({ min: 1, max: 604_800 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(word, { minLength: 1, maxLength: 5 }),
        fc.string({ unit: 'grapheme-ascii' }),
        seconds,
        fc.nat(1e8),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        async (words, name, validSeconds, bytes, hash) => {
          const [key, sha256] = [words.join('/'), Buffer.from(hash).toString('hex')];
          const down = await theirs.presign(
            {
              ...{ method: 'GET', ...place(`${prefix}/${key}`), headers: { host } },
              query: { 'response-content-disposition': `attachment; filename="${name}"` },
            },
            how(validSeconds),
          );
          const download = await ours.download(key, name, validSeconds);
          expect(signature(download.url)).toBe(down.query?.['X-Amz-Signature']);
          expect([...new URL(download.url).searchParams.keys()].sort()).toEqual(Object.keys(down.query ?? {}).sort());
          const upload = await ours.upload(key, bytes, sha256, validSeconds);
          const headers = { host, 'content-length': String(bytes), ...upload.headers };
          const up = await theirs.presign(
            { method: 'PUT', ...place(`${prefix}/${key}`), headers },
            { ...how(validSeconds), unhoistableHeaders: new Set(['x-amz-checksum-sha256']) },
          );
          expect(signature(upload.url)).toBe(up.query?.['X-Amz-Signature']);
        },
      ),
      { numRuns: 100 },
    );
  });

  const links = createObjectLinks('autowatering-artifacts', 'eu-central-1', undefined, clock);

  it("use the bucket's own host, and their signature works with a role's session token", async () => {
    const { url, expiresAt } = await links.download('releases/b/c/1.0.0/x.bin', 'fw 1.bin', 900);
    expect(new URL(url).host).toBe('autowatering-artifacts.s3.eu-central-1.amazonaws.com');
    expect(new URL(url).searchParams.get('X-Amz-Security-Token')).toBe(process.env['AWS_SESSION_TOKEN']);
    expect(expiresAt).toBe(clock.now() + 900_000);
    const request = await arriving(url, {});
    expect(verifySignature(request, KEY, clock.now())).toMatchObject({ good: true });
    expect(verifySignature(request, KEY, clock.now() + 900_001)).toEqual({ good: false, code: 'RequestExpired' });
    expect(verifySignature(request, { ...KEY, secret: 'other' }, clock.now())).toEqual({
      good: false,
      code: 'SignatureDoesNotMatch',
    });
  });

  it("sign an upload's length, checksum and condition that the object is new", async () => {
    const { url, headers } = await links.upload('drafts/x.bin', 5, 'ab'.repeat(32), 900);
    expect(new URL(url).searchParams.get('X-Amz-SignedHeaders')).toBe(
      'content-length;host;if-none-match;x-amz-checksum-sha256',
    );
    const good = await arriving(url, { method: 'PUT', headers, body: '12345' });
    expect(verifySignature(good, KEY, clock.now())).toMatchObject({ good: true });
    const longer = await arriving(url, { method: 'PUT', headers, body: '123456' });
    expect(verifySignature(longer, KEY, clock.now())).toMatchObject({ good: false });
    const tagged = await arriving(url, {
      method: 'PUT',
      headers: { ...headers, 'x-amz-acl': 'public-read' },
      body: '12345',
    });
    expect(verifySignature(tagged, KEY, clock.now())).toEqual({ good: false, code: 'AccessDenied' });
  });
});
