import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { TABLES } from '../../cli/target/place.ts';
import { FILE_MODE } from './backup-file.ts';

const Counted = z.object({ count: z.number(), checksum: z.string() });
export type Counted = z.output<typeof Counted>;

const Contents = z.object({
  tables: z.record(z.enum(TABLES), Counted),
  /** `checksummed`: of how many objects S3 keeps the SHA-256; unknown in backups of format 1. */
  objects: Counted.extend({ bytes: z.number(), checksummed: z.number().optional() }),
});
export type Contents = z.output<typeof Contents>;

/** The layout of what is written now. Of format 1, which does not know S3's checksums, backups are still read. */
export const FORMAT = 2;

const Manifest = Contents.extend({ format: z.literal([1, FORMAT]), environment: z.string(), madeAt: z.iso.datetime() });
/** What a backup holds, so that it can be told whether it still does. */
export type Manifest = z.output<typeof Manifest>;

const MANIFEST = 'manifest.json';
const fileIn = (folder: string) => path.join(folder, MANIFEST);

/** Whether a file of a backup, by its name in it, is the one that makes it whole. */
export function isManifest(file: string): boolean {
  return file === MANIFEST;
}

/** What to say of a place that is not empty, by the names of what lies in it. */
export function takenPlace(place: string, files: readonly string[]): PlainError {
  return new PlainError(
    files.some(isManifest)
      ? `${place} holds a backup already. A new one gets a place of its own.`
      : `${place} is not empty, and has no ${MANIFEST}. Take another place; if it is a backup that broke off, it can be removed.`,
  );
}

/** Written last: a folder without one is no whole backup. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFile(fileIn(folder), `${JSON.stringify(manifest, null, 2)}\n`, { mode: FILE_MODE });
}

export async function readManifest(folder: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(fileIn(folder), 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PlainError(`${folder} holds no manifest.json: it is no backup, or one that was never finished.`);
  }
  return Manifest.parse(JSON.parse(text));
}

/** What differs between two, in plain words; none when they hold the same. */
export function differences(expected: Contents, found: Contents): readonly string[] {
  const tables = TABLES.flatMap((table) => differs(`table ${table}`, expected.tables[table], found.tables[table]));
  return [...tables, ...objectsDiffer(expected.objects, found.objects)];
}

function objectsDiffer(expected: Contents['objects'], found: Contents['objects']): readonly string[] {
  const { checksummed: wanted } = expected;
  const { checksummed: has = 0 } = found;
  if (wanted !== undefined && wanted !== has && expected.count === found.count) {
    return [`bucket: ${has} objects with a SHA-256 checksum instead of ${wanted}`];
  }
  return differs('bucket', expected, found);
}

function differs(name: string, expected: Counted, found: Counted): readonly string[] {
  if (expected.count !== found.count) return [`${name}: ${found.count} instead of ${expected.count}`];
  return expected.checksum === found.checksum ? [] : [`${name}: ${found.count}, but not the same ones`];
}
