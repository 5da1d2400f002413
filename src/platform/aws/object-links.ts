import type { Clock } from '../clock.ts';
import { type AwsCredentials, createSigner, signedHeaders, signingTime } from './json/signature.ts';

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

/**
 * Presigned URLs, created without the SDK: signing needs no call, and the library for it would be half of what a
 * container's first phone loads (ADR 91). A test compares the two.
 */
export interface ObjectLinks {
  /**
   * A URL that accepts exactly one object: S3 itself rejects another length (the signature fails), other bytes (the
   * checksum fails) and a second upload over the first (`If-None-Match: *`).
   */
  upload(key: string, sizeBytes: number, sha256: string, validSeconds: number): Promise<UploadLink>;
  download(key: string, fileName: string, validSeconds: number): Promise<DownloadLink>;
}

export function createObjectLinks(
  bucket: string,
  region: string,
  endpoint: string | undefined,
  clock: Clock,
): ObjectLinks {
  const signer = createSigner(region, 's3');
  // Amazon has one host per bucket; any other S3 server gets the bucket in the path.
  const base = new URL(endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`);
  const prefix = endpoint === undefined ? '' : `/${bucket}`;

  const presigned = async (request: LinkRequest, now: number): Promise<string> => {
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
    const time = signingTime(now);
    const headers = [['host', base.host] as const, ...request.headers].sort(byName);
    const query = [
      ...request.query,
      ['X-Amz-Content-Sha256', UNSIGNED],
      ...(sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken] as const]),
      ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
      ['X-Amz-Credential', `${accessKeyId}/${signer.scope(time)}`],
      ['X-Amz-Date', time],
      ['X-Amz-Expires', String(request.validSeconds)],
      ['X-Amz-SignedHeaders', signedHeaders({ headers })],
    ] as const;
    const url = new URL(`${prefix}/${request.key}`, base);
    const form = {
      ...{ method: request.method, path: url.pathname, headers, bodyHash: UNSIGNED },
      query: query
        .map(([name, value]) => [encoded(name), encoded(value)] as const)
        .sort(byName)
        .map(([name, value]) => `${name}=${value}`)
        .join('&'),
    };
    for (const [name, value] of query) url.searchParams.set(name, value);
    url.searchParams.set('X-Amz-Signature', signer.sign(form, secretAccessKey, time));
    // Signature version 4 requires %20, which every S3 server accepts; URLSearchParams writes a plus sign.
    url.search = url.search.replaceAll('+', '%20');
    return url.href;
  };

  return {
    async upload(key, sizeBytes, sha256, validSeconds) {
      const headers = {
        'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
        'if-none-match': '*',
      };
      // Only signed as headers do these bind the upload; in the query S3 would not check the body against the checksum.
      const signed = [['content-length', String(sizeBytes)] as const, ...Object.entries(headers)];
      return {
        url: await presigned({ method: 'PUT', key, headers: signed, query: [], validSeconds }, clock.now()),
        headers,
      };
    },
    async download(key, fileName, validSeconds) {
      const now = clock.now();
      const query = [['response-content-disposition', `attachment; filename="${fileName}"`]] as const;
      return {
        url: await presigned({ method: 'GET', key, headers: [], query, validSeconds }, now),
        expiresAt: now + validSeconds * 1000,
      };
    },
  };
}

/** S3 checks an upload's bytes by their checksum instead. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

type Pairs = readonly (readonly [name: string, value: string])[];

interface LinkRequest {
  readonly method: 'GET' | 'PUT';
  readonly key: string;
  /** To be sent exactly as given, besides the host. */
  readonly headers: Pairs;
  readonly query: Pairs;
  readonly validSeconds: number;
}

async function credentials(): Promise<AwsCredentials> {
  const { awsCredentials } = await import('./credentials.ts');
  return (await awsCredentials())();
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as signatures require. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** In byte order, as signatures require. */
function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}
