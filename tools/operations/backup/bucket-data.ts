import { createHash } from 'node:crypto';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import * as z from 'zod';
import type { Place } from '../../cli/target/place.ts';
import { FILE_MODE, FOLDER_MODE, linesOf, present } from './backup-file.ts';
import { jsonLine, SumOfHashes } from './item-lines.ts';
import type { Contents } from './manifest.ts';

/** Objects at a time: each is held in memory while it is copied, and none is larger than a firmware or a state. */
const AT_ONCE = 8;
const INDEX = 'objects.jsonl';

const StoredObject = z.object({ key: z.string(), sha256: z.string(), bytes: z.number(), contentType: z.string() });
type StoredObject = z.output<typeof StoredObject>;

async function* keysOf(place: Place): AsyncGenerator<string> {
  for await (const { Contents: contents = [] } of paginateListObjectsV2(
    { client: place.s3 },
    { Bucket: place.bucket },
  )) {
    for (const { Key: key } of contents) if (key !== undefined) yield key;
  }
}

/** Every object of the bucket, its bytes held against nothing but themselves. */
export async function countObjects(
  place: Place,
  onObject?: (object: StoredObject, bytes: Uint8Array) => Promise<void>,
): Promise<Contents['objects']> {
  const sum = new SumOfHashes();
  let total = 0;
  await pMap(
    keysOf(place),
    async (key) => {
      const { Body: body, ContentType: contentType = '' } = await place.s3.getObject({
        Bucket: place.bucket,
        Key: key,
      });
      const bytes = (await body?.transformToByteArray()) ?? new Uint8Array(0);
      const object = { key, sha256: sha256(bytes), bytes: bytes.byteLength, contentType };
      sum.add(line(object));
      total += object.bytes;
      await onObject?.(object, bytes);
    },
    { concurrency: AT_ONCE },
  );
  return { count: sum.count, checksum: sum.checksum, bytes: total };
}

/** Writes every object to a file named after its key's hash, and an index that knows the keys. */
export async function exportObjects(place: Place, folder: string): Promise<Contents['objects']> {
  await mkdir(path.join(folder, 'objects'), { recursive: true, mode: FOLDER_MODE });
  await writeFile(path.join(folder, INDEX), '', { mode: FILE_MODE });
  return countObjects(place, async (object, bytes) => {
    await writeFile(fileOf(folder, object.key), bytes, { mode: FILE_MODE });
    await appendFile(path.join(folder, INDEX), `${line(object)}\n`);
  });
}

/** What the files of a backup hold, whatever its index says of them. */
export async function countObjectFiles(folder: string): Promise<Contents['objects']> {
  const sum = new SumOfHashes();
  let total = 0;
  for await (const object of indexOf(folder)) {
    const file = fileOf(folder, object.key);
    const bytes = await present(file, () => readFile(file));
    sum.add(line({ ...object, sha256: sha256(bytes), bytes: bytes.byteLength }));
    total += bytes.byteLength;
  }
  return { count: sum.count, checksum: sum.checksum, bytes: total };
}

export async function restoreObjects(place: Place, folder: string): Promise<void> {
  await pMap(
    indexOf(folder),
    async ({ key, contentType }) => {
      const body = await readFile(fileOf(folder, key));
      await place.s3.putObject({
        ...{ Bucket: place.bucket, Key: key, Body: body },
        ...(contentType !== '' && { ContentType: contentType }),
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

function line({ key, sha256, bytes, contentType }: StoredObject): string {
  return jsonLine({ key, sha256, bytes, contentType });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
