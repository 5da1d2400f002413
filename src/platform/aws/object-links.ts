import type { Clock } from '../clock.ts';
import { once } from '../once.ts';
import { createSigner, signedHeaders, signingTime } from './json/signature.ts';

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
  const credentials = once(async () => (await import('./credentials.ts')).awsCredentials());
  const signer = createSigner(region, 's3');
  const { base, prefix } = bucketPlace(bucket, region, endpoint);

  const presigned = async ({ method, key, headers, query, validSeconds, now }: Presigned): Promise<string> => {
    const { accessKeyId, secretAccessKey, sessionToken } = await (await credentials())();
    const time = signingTime(now);
    const path = `${prefix}/${key.split('/').map(encoded).join('/')}`;
    const signed = Object.entries({ host: base.host, ...headers }).sort(byName);
    const parameters = {
      ...query,
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Content-Sha256': UNSIGNED,
      'X-Amz-Credential': `${accessKeyId}/${signer.scope(time)}`,
      'X-Amz-Date': time,
      'X-Amz-Expires': String(validSeconds),
      ...(sessionToken === undefined ? {} : { 'X-Amz-Security-Token': sessionToken }),
      'X-Amz-SignedHeaders': signedHeaders({ headers: signed }),
    };
    const text = Object.entries(parameters)
      .sort(byName)
      .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
      .join('&');
    const form = { method, path, query: text, headers: signed, bodyHash: UNSIGNED };
    return `${base.origin}${path}?${text}&X-Amz-Signature=${signer.sign(form, secretAccessKey, time)}`;
  };

  const links: ObjectLinks = {
    async upload(key, sizeBytes, sha256, validSeconds) {
      const headers = {
        // As a header and not in the query, where S3 would not check the body against it.
        'x-amz-checksum-sha256': Buffer.from(sha256, 'hex').toString('base64'),
        'if-none-match': '*',
      };
      const signed = { ...headers, 'content-length': String(sizeBytes) };
      const url = await presigned({ method: 'PUT', key, headers: signed, query: {}, validSeconds, now: clock.now() });
      return { url, headers };
    },
    async download(key, fileName, validSeconds) {
      const now = clock.now();
      const query = { 'response-content-disposition': `attachment; filename="${fileName}"` };
      const url = await presigned({ method: 'GET', key, headers: {}, query, validSeconds, now });
      return { url, expiresAt: now + validSeconds * 1000 };
    },
  };
  return links;
}

interface Presigned {
  readonly method: 'GET' | 'PUT';
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly validSeconds: number;
  readonly now: number;
}

/** The body is not known when its URL is signed. */
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** Amazon has one host per bucket; any other S3 server gets the bucket in the path. */
function bucketPlace(bucket: string, region: string, endpoint: string | undefined) {
  return {
    base: new URL(endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`),
    prefix: endpoint === undefined ? '' : `/${bucket}`,
  };
}

function byName([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** Signature Version 4 encodes more than `encodeURIComponent`. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}
