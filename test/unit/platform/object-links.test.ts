import { createServer, type IncomingMessage } from 'node:http';
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectLinks } from '../../../src/platform/aws/object-links.ts';
import { portOf } from '../../../tools/run/local-stack/process/ports.ts';
import { verifySignature } from '../../../tools/run/local-stack/s3/signature-v4.ts';
import { Hash } from '../../support/sha256-hash.ts';

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

describe('links to objects in S3', () => {
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

  it("are the AWS SDK's, whatever the object and its file name", async () => {
    const presigner = new S3RequestPresigner({
      region: 'eu-central-1',
      credentials: {
        accessKeyId: KEY.id,
        secretAccessKey: KEY.secret,
        sessionToken: process.env['AWS_SESSION_TOKEN'] ?? '',
      },
      sha256: Hash,
    });
    const host = 'autowatering-artifacts.s3.eu-central-1.amazonaws.com';
    const key = fc.stringMatching(/^[a-z0-9/._-]{1,40}$/);
    await fc.assert(
      fc.asyncProperty(key, fc.string({ unit: 'grapheme-ascii' }), fc.nat(1_000_000), async (path, fileName, size) => {
        const request = { protocol: 'https:', hostname: host, path: `/${path}` };
        const options = { expiresIn: 900, signingDate: new Date(clock.now()) };
        const query = { 'response-content-disposition': `attachment; filename="${fileName}"` };
        const down = await presigner.presign({ method: 'GET', ...request, headers: { host }, query }, options);
        expect(queryOf((await links.download(path, fileName, 900)).url)).toEqual(down.query);
        const up = await links.upload(path, size, 'ab'.repeat(32), 900);
        const headers = { host, 'content-length': String(size), ...up.headers };
        const unhoistableHeaders = new Set(['x-amz-checksum-sha256']);
        const expected = await presigner.presign(
          { method: 'PUT', ...request, headers, query: {} },
          { ...options, unhoistableHeaders },
        );
        expect(queryOf(up.url)).toEqual(expected.query);
      }),
    );
  });
});

function queryOf(url: string): Record<string, string> {
  return Object.fromEntries(new URL(url).searchParams);
}
