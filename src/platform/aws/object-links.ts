import type { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import type { Clock } from '../clock.ts';
import { once } from '../once.ts';

export interface UploadLink {
  readonly url: string;
  /** Headers that the client must send exactly as given: they are part of the signature. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface DownloadLink {
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Presigned URLs, created without the S3 client: signing needs no call, and the hot route should load little. */
export interface ObjectLinks {
  /**
   * A URL that accepts exactly one object: S3 itself rejects another length (the signature fails), other bytes (the
   * checksum fails) and a second upload over the first (`If-None-Match: *`).
   */
  upload(key: string, sizeBytes: number, sha256: string, validSeconds: number): Promise<UploadLink>;
  download(key: string, fileName: string, validSeconds: number): Promise<DownloadLink>;
}

export function createObjectLinks(bucket: string, region: string, endpoint: string | undefined, clock: Clock) {
  const presigner = once(() => createPresigner(region));
  const place = bucketPlace(bucket, region, endpoint);

  const links: ObjectLinks = {
    async upload(key, sizeBytes, sha256, validSeconds) {
      const headers = {
        'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
        'if-none-match': '*',
      };
      const signed = await (await presigner()).presign(
        {
          method: 'PUT',
          ...place.request(key),
          headers: { host: place.host, 'content-length': String(sizeBytes), ...headers },
        },
        {
          expiresIn: validSeconds,
          signingDate: new Date(clock.now()),
          // Otherwise the checksum moves into the query, where S3 does not check the body against it.
          unhoistableHeaders: new Set(['x-amz-checksum-sha256']),
        },
      );
      return { url: place.url(key, signed.query), headers };
    },
    async download(key, fileName, validSeconds) {
      const now = clock.now();
      const signed = await (await presigner()).presign(
        {
          method: 'GET',
          ...place.request(key),
          headers: { host: place.host },
          query: { 'response-content-disposition': `attachment; filename="${fileName}"` },
        },
        { expiresIn: validSeconds, signingDate: new Date(now) },
      );
      return { url: place.url(key, signed.query), expiresAt: now + validSeconds * 1000 };
    },
  };
  return links;
}

async function createPresigner(region: string): Promise<S3RequestPresigner> {
  const [{ S3RequestPresigner: Presigner }, { awsCredentials }, { Hash }] = await Promise.all([
    import('@aws-sdk/s3-request-presigner'),
    import('./credentials.ts'),
    import('./sha256-hash.ts'),
  ]);
  return new Presigner({ region, credentials: await awsCredentials(), sha256: Hash });
}

type Query = Readonly<Record<string, string | readonly string[] | null>>;

/** Amazon has one host per bucket; any other S3 server gets the bucket in the path. */
function bucketPlace(bucket: string, region: string, endpoint: string | undefined) {
  const base = new URL(endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`);
  const prefix = endpoint === undefined ? '' : `/${bucket}`;
  return {
    host: base.host,
    request: (key: string) => ({
      protocol: base.protocol,
      hostname: base.hostname,
      ...(base.port === '' ? {} : { port: Number(base.port) }),
      path: `${prefix}/${key}`,
    }),
    url: (key: string, query: Query | undefined) => {
      const url = new URL(`${prefix}/${key}`, base);
      for (const [name, value] of Object.entries(query ?? {})) {
        if (typeof value === 'string') url.searchParams.set(name, value);
      }
      // Signature version 4 requires %20, which every S3 server accepts; URLSearchParams writes a plus sign.
      url.search = url.search.replaceAll('+', '%20');
      return url.href;
    },
  };
}
