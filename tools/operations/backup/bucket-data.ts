import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import * as z from 'zod';
import type { Place } from '../../cli/target/place.ts';
import { FILE_MODE, FOLDER_MODE, linesOf, present } from './backup-file.ts';
import { jsonLine, SumOfHashes } from './item-lines.ts';
import { type Contents, FORMAT, type Manifest } from './manifest.ts';

/** Concurrent objects. Each is held in memory while it is copied; the largest are firmware images and states. */
const AT_ONCE = 8;
const INDEX = 'objects.jsonl';

const StoredObject = z.object({
  key: z.string(),
  sha256: z.string(),
  bytes: z.number(),
  contentType: z.string(),
  /** Whether S3 stores the SHA-256, which it does if the uploader sent one. Absent in backups of format 1. */
  checksummed: z.boolean().optional(),
});
type StoredObject = z.output<typeof StoredObject>;

async function* keysOf(place: Place): AsyncGenerator<string> {
  for await (const { Contents: contents = [] } of paginateListObjectsV2(
    { client: place.s3 },
    { Bucket: place.bucket },
  )) {
    for (const { Key: key } of contents) if (key !== undefined) yield key;
  }
}

/**
 * Reads every object of the bucket and sums up contents and S3 checksums.
 *
 * @param format of the backup to compare with: the checksum of format 1 does not cover `checksummed`
 */
export async function countObjects(
  place: Place,
  format: Manifest['format'],
  onObject?: (object: StoredObject, bytes: Uint8Array) => Promise<void>,
): Promise<Contents['objects']> {
  const sum = new SumOfHashes();
  let total = 0;
  let withChecksum = 0;
  await pMap(
    keysOf(place),
    async (key) => {
      const answer = await place.s3.getObject({ Bucket: place.bucket, Key: key, ChecksumMode: 'ENABLED' });
      const bytes = (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
      const hash = sha256(bytes);
      const checksummed = answer.ChecksumSHA256 === base64(hash);
      const object = {
        ...{ key, sha256: hash, bytes: bytes.byteLength, contentType: answer.ContentType ?? '' },
        ...(format === 1 ? {} : { checksummed }),
      };
      sum.add(line(object));
      total += object.bytes;
      if (checksummed) withChecksum += 1;
      await onObject?.(object, bytes);
    },
    { concurrency: AT_ONCE },
  );
  return { count: sum.count, checksum: sum.checksum, bytes: total, checksummed: withChecksum };
}

/** Writes every object to a file named after its key's hash, and an index of the keys. */
export async function exportObjects(place: Place, folder: string): Promise<Contents['objects']> {
  await mkdir(path.join(folder, 'objects'), { recursive: true, mode: FOLDER_MODE });
  await writeFile(path.join(folder, INDEX), '', { mode: FILE_MODE });
  return countObjects(place, FORMAT, async (object, bytes) => {
    await writeFile(fileOf(folder, object.key), bytes, { mode: FILE_MODE });
    await appendFile(path.join(folder, INDEX), `${line(object)}\n`);
  });
}

/** Sums up the objects in a backup's files, by their actual contents. */
export async function countObjectFiles(folder: string): Promise<Contents['objects']> {
  const sum = new SumOfHashes();
  let total = 0;
  let withChecksum: number | undefined;
  for await (const object of indexOf(folder)) {
    if (object.checksummed !== undefined) withChecksum = (withChecksum ?? 0) + Number(object.checksummed);
    const file = fileOf(folder, object.key);
    const bytes = await present(file, () => readFile(file));
    sum.add(line({ ...object, sha256: sha256(bytes), bytes: bytes.byteLength }));
    total += bytes.byteLength;
  }
  const checksums = withChecksum === undefined ? {} : { checksummed: withChecksum };
  return { count: sum.count, checksum: sum.checksum, bytes: total, ...checksums };
}

/** Restores the objects, with the SHA-256 that S3 stored: without it a draft can't be published. */
export async function restoreObjects(place: Place, folder: string): Promise<void> {
  await pMap(
    indexOf(folder),
    async ({ key, contentType, checksummed = true }) => {
      const body = await readFile(fileOf(folder, key));
      await place.s3.putObject({
        ...{ Bucket: place.bucket, Key: key, Body: body },
        ...(contentType !== '' && { ContentType: contentType }),
        ...(checksummed && { ChecksumAlgorithm: 'SHA256', ChecksumSHA256: base64(sha256(body)) }),
      });
    },
    { concurrency: AT_ONCE },
  );
}

export async function isEmptyBucket(place: Place): Promise<boolean> {
  const { KeyCount: count = 0 } = await place.s3.listObjectsV2({ Bucket: place.bucket, MaxKeys: 1 });
  return count === 0;
}

async function* indexOf(folder: string): AsyncGenerator<StoredObject> {
  for await (const text of linesOf(path.join(folder, INDEX))) {
    yield StoredObject.parse(JSON.parse(text));
  }
}

function fileOf(folder: string, key: string): string {
  return path.join(folder, 'objects', sha256(Buffer.from(key)));
}

function line({ key, sha256, bytes, contentType, checksummed }: StoredObject): string {
  return jsonLine({ key, sha256, bytes, contentType, ...(checksummed !== undefined && { checksummed }) });
}

function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
