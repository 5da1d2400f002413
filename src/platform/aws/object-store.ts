import type { S3Client } from '@aws-sdk/client-s3';
import { once } from '../once.ts';
import { boundCalls, whileAvailable } from '../resilience/dependency.ts';
import { traceCalls } from './traced-client.ts';

export interface ObjectFacts {
  readonly sizeBytes: number;
  /** Lower-case hex, as S3 computed it at upload; absent for an object that was stored without one. */
  readonly sha256?: string;
  readonly etag: string;
}

/** The artifact bucket: firmware, and user state that is too large for an item. */
export interface ObjectStore {
  facts(key: string): Promise<ObjectFacts | undefined>;
  /** The first `length` bytes, or undefined when there is no such object. */
  readStart(key: string, length: number): Promise<Uint8Array | undefined>;
  read(key: string): Promise<Uint8Array | undefined>;
  put(key: string, body: Uint8Array, contentType: string): Promise<void>;
  /**
   * Copies within S3, and only if the source still has that etag.
   *
   * @param lockedUntil until then nobody may remove or replace the copy
   */
  copy(fromKey: string, etag: string, toKey: string, lockedUntil?: Date): Promise<void>;
  remove(key: string): Promise<void>;
  /** A page of keys with a prefix, in their order; empty after the last one. @param after the last key of the page before */
  list(prefix: string, after?: string): Promise<readonly string[]>;
  removeAll(prefix: string): Promise<void>;
  /** Fails when the bucket can't be reached. */
  ping(signal?: AbortSignal): Promise<void>;
}

const CONNECT_MS = 1_000;
/** Until an answer begins; the request's total wait has its own limit (`dependency.ts`). */
const REQUEST_MS = 2_000;

export function createObjectStore(bucket: string, region: string): ObjectStore {
  const sdk = once(() => import('@aws-sdk/client-s3'));
  const client = once(async (): Promise<S3Client> => {
    const [{ S3Client: Client }, { awsCredentials }] = await Promise.all([sdk(), import('./credentials.ts')]);
    const made = new Client({
      region,
      credentials: await awsCredentials(),
      maxAttempts: 3,
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS, throwOnRequestTimeout: true },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    traceCalls(made.middlewareStack, 'S3');
    boundCalls(made.middlewareStack, 'S3');
    return made;
  });

  const readRange = async (key: string, range: string | undefined): Promise<Uint8Array | undefined> => {
    const { GetObjectCommand } = await sdk();
    try {
      const answer = await (await client()).send(
        new GetObjectCommand({ Bucket: bucket, Key: key, ...(range === undefined ? {} : { Range: range }) }),
      );
      const { Body: body } = answer;
      if (body === undefined) return undefined;
      return await whileAvailable('S3', (signal) => {
        if ('destroy' in body) signal.addEventListener('abort', () => body.destroy());
        return body.transformToByteArray();
      });
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  const remove = async (key: string): Promise<void> => {
    const { DeleteObjectCommand } = await sdk();
    await (await client()).send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  };

  return {
    async facts(key) {
      const { HeadObjectCommand } = await sdk();
      try {
        const head = await (await client()).send(
          new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }),
        );
        const checksum = head.ChecksumSHA256;
        return {
          sizeBytes: head.ContentLength ?? 0,
          etag: head.ETag ?? '',
          ...(checksum === undefined ? {} : { sha256: Buffer.from(checksum, 'base64').toString('hex') }),
        };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    readStart: (key, length) => readRange(key, `bytes=0-${length - 1}`),
    read: (key) => readRange(key, undefined),
    async put(key, body, contentType) {
      const { PutObjectCommand } = await sdk();
      await (await client()).send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: contentType }),
      );
    },
    async copy(fromKey, etag, toKey, lockedUntil) {
      const { CopyObjectCommand } = await sdk();
      await (await client()).send(
        new CopyObjectCommand({
          Bucket: bucket,
          Key: toKey,
          CopySource: `${bucket}/${fromKey}`,
          CopySourceIfMatch: etag,
          // Governance, not compliance: someone with a special permission can still undo a mistake.
          ...(lockedUntil && { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: lockedUntil }),
        }),
      );
    },
    remove,
    async list(prefix, after) {
      const { ListObjectsV2Command } = await sdk();
      const page = await (await client()).send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          ...(after === undefined ? {} : { StartAfter: after }),
        }),
      );
      return (page.Contents ?? []).flatMap(({ Key: key }) => (key === undefined ? [] : [key]));
    },
    async removeAll(prefix) {
      const { ListObjectsV2Command } = await sdk();
      for (;;) {
        const page = await (await client()).send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
        const keys = (page.Contents ?? []).flatMap((object) => (object.Key === undefined ? [] : [object.Key]));
        if (keys.length === 0) return;
        for (const key of keys) await remove(key);
      }
    },
    async ping(signal) {
      const { HeadBucketCommand } = await sdk();
      await (await client()).send(
        new HeadBucketCommand({ Bucket: bucket }),
        signal === undefined ? {} : { abortSignal: signal },
      );
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && ['NotFound', 'NoSuchKey', 'InvalidRange'].includes(error.name);
}
