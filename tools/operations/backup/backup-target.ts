import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { paginateListObjectsV2, S3 } from '@aws-sdk/client-s3';
import pMap from 'p-map';
import { PlainError } from '../../cli/plain-error.ts';
import { FILE_MODE, FOLDER_MODE } from './backup-file.ts';
import { isManifest, takenPlace } from './manifest.ts';

const FILES_AT_ONCE = 4;
const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 60_000, throwOnRequestTimeout: true };

/** Where a backup is stored: a folder on this machine, or `s3://bucket/prefix`. */
type Target =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'bucket'; readonly s3: S3; readonly bucket: string; readonly prefix: string };

export interface TargetOptions {
  readonly region?: string;
  /** Another S3 endpoint for the backup's bucket. */
  readonly backupS3Url?: string;
}

/** @param name a folder, or `s3://bucket/prefix` */
export function backupTarget(name: string, { region, backupS3Url: url }: TargetOptions): Target {
  if (!name.startsWith('s3://')) return { kind: 'folder', folder: name };
  const [, bucket, prefix] = /^s3:\/\/([a-z0-9.-]{3,63})\/([^/].*?)\/?$/.exec(name) ?? [];
  if (bucket === undefined || prefix === undefined) {
    throw new PlainError(`${name}: expected a bucket and a name within it, like s3://backups/monday.`);
  }
  const local = { credentials: { accessKeyId: 'local', secretAccessKey: 'local' }, forcePathStyle: true };
  const s3 = new S3({
    // Backups may be stored in another region.
    ...{ requestHandler: TIME_LIMITS, requestChecksumCalculation: 'WHEN_REQUIRED', followRegionRedirects: true },
    ...(region !== undefined && { region }),
    ...(url !== undefined && { region: 'eu-central-1', ...local, endpoint: url }),
  });
  return { kind: 'bucket', s3, bucket, prefix };
}

/** Lets `write` write a backup to a folder, then uploads it if the target is a bucket. */
export async function writingTo<T>(target: Target, write: (folder: string) => Promise<T>): Promise<T> {
  if (target.kind === 'folder') return write(target.folder);
  const { bucket, prefix } = target;
  const there = await firstNames(target);
  if (there.length > 0) throw takenPlace(`s3://${bucket}/${prefix}`, there);
  return staged(async (folder) => {
    const result = await write(folder);
    // The manifest comes last: it marks the backup as complete.
    const files = (await filesIn(folder)).sort((a, b) => Number(isManifest(a)) - Number(isManifest(b)));
    const [contents, manifest] = [files.filter((file) => !isManifest(file)), files.filter(isManifest)];
    for (const some of [contents, manifest]) {
      await pMap(some, (file) => put(target, folder, file), { concurrency: FILES_AT_ONCE });
    }
    return result;
  });
}

/** Lets `read` read a backup from a folder, downloading it first if the target is a bucket. */
export async function readingFrom<T>(target: Target, read: (folder: string) => Promise<T>): Promise<T> {
  if (target.kind === 'folder') return read(target.folder);
  const { s3, bucket, prefix } = target;
  return staged(async (folder) => {
    const pages = paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: `${prefix}/` });
    for await (const { Contents: contents = [] } of pages) {
      await pMap(contents, ({ Key: key = '' }) => get(target, folder, key), { concurrency: FILES_AT_ONCE });
    }
    return read(folder);
  });
}

type Bucket = Extract<Target, { readonly kind: 'bucket' }>;

async function put({ s3, bucket, prefix }: Bucket, folder: string, file: string): Promise<void> {
  const from = path.join(folder, file);
  const { size } = await stat(from);
  const key = `${prefix}/${file.split(path.sep).join('/')}`;
  await s3.putObject({ Bucket: bucket, Key: key, Body: createReadStream(from), ContentLength: size });
}

async function get({ s3, bucket, prefix }: Bucket, folder: string, key: string): Promise<void> {
  const to = path.join(folder, key.slice(prefix.length + 1));
  // A key could contain "..": it must not leave the folder.
  if (!to.startsWith(folder + path.sep)) throw new PlainError(`${key} is not a file of a backup.`);
  await mkdir(path.dirname(to), { recursive: true, mode: FOLDER_MODE });
  const { Body: body } = await s3.getObject({ Bucket: bucket, Key: key });
  if (!(body instanceof Readable)) throw new Error(`${key} came without a body`);
  await pipeline(body, createWriteStream(to, { mode: FILE_MODE }));
}

/** Returns the first name found there, and the manifest's if it exists. */
async function firstNames({ s3, bucket, prefix }: Bucket): Promise<readonly string[]> {
  const [any, manifest] = await Promise.all(
    [`${prefix}/`, `${prefix}/manifest.json`].map((one) =>
      s3.listObjectsV2({ Bucket: bucket, Prefix: one, MaxKeys: 1 }),
    ),
  );
  return [...(any?.Contents ?? []), ...(manifest?.Contents ?? [])].map(({ Key: key = '' }) =>
    key.slice(prefix.length + 1),
  );
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}

/** Runs the work in a temporary private folder. */
async function staged<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'autowatering-backup-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
