import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { TABLES, type TableName } from '../../cli/target/place.ts';
import { FILE_MODE } from './backup-file.ts';
import { SumOfHashes } from './item-lines.ts';

const Counted = z.object({ count: z.number(), checksum: z.string() });
export type Counted = z.output<typeof Counted>;

const Contents = z.object({
  /** Backups before format 3 have no relay, those before format 4 no garden. */
  tables: z.object({
    users: Counted,
    provisioning: Counted,
    'ota-releases': Counted,
    'rate-limits': Counted,
    relay: Counted.default(() => new SumOfHashes().counted()),
    garden: Counted.default(() => new SumOfHashes().counted()),
  }),
  /** `checksummed`: the number of objects whose SHA-256 S3 stores; absent in backups of format 1. */
  objects: Counted.extend({ bytes: z.number(), checksummed: z.number().optional() }),
});
export type Contents = z.output<typeof Contents>;

/**
 * The format of new backups. Those without S3's checksums (1), the relay (1 and 2) and the garden (1 to 3) can still be
 * read.
 */
export const FORMAT = 4;

const Manifest = Contents.extend({
  format: z.literal([1, 2, 3, FORMAT]),
  environment: z.string(),
  madeAt: z.iso.datetime(),
});
/** The contents of a backup, used to verify it. */
export type Manifest = z.output<typeof Manifest>;

const MANIFEST = 'manifest.json';
const fileIn = (folder: string) => path.join(folder, MANIFEST);

/** Checks whether backups of a format contain a table. */
export function holdsTable(format: Manifest['format'], table: TableName): boolean {
  if (table === 'garden') return format >= 4;
  return table !== 'relay' || format >= 3;
}

/** Checks whether a file is the backup's manifest. */
export function isManifest(file: string): boolean {
  return file === MANIFEST;
}

/** Returns the error for a target that is not empty. */
export function takenPlace(place: string, files: readonly string[]): PlainError {
  return new PlainError(
    files.some(isManifest)
      ? `${place} already holds a backup. Choose another place for the new one.`
      : `${place} is not empty, and has no ${MANIFEST}. Choose another place; if it is an interrupted backup, remove it.`,
  );
}

/** Writes the manifest. It comes last: a folder without one is not a complete backup. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeFile(fileIn(folder), `${JSON.stringify(manifest, null, 2)}\n`, { mode: FILE_MODE });
}

export async function readManifest(folder: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(fileIn(folder), 'utf8');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PlainError(`${folder} holds no manifest.json: it is not a backup, or an interrupted one.`);
  }
  return Manifest.parse(JSON.parse(text));
}

/** Returns the differences in plain words; empty if there are none. */
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
  return expected.checksum === found.checksum
    ? []
    : [`${name}: ${found.count} as expected, but with different contents`];
}
