import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import pMap from 'p-map';
import { PlainError } from '../../cli/plain-error.ts';
import { type Place, TABLES, type TableName } from '../../cli/target/place.ts';
import type { ProgressDisplay } from '../../cli/terminal/progress-display.ts';
import type { Migration } from '../migrate/migration.ts';
import { FOLDER_MODE } from './backup-file.ts';
import { countObjectFiles, countObjects, exportObjects, restoreObjects } from './bucket-data.ts';
import { clearFreshItems, lookAtTarget } from './fresh-environment.ts';
import { SumOfHashes } from './item-lines.ts';
import {
  type Contents,
  type Counted,
  differences,
  FORMAT,
  holdsTable,
  type Manifest,
  readManifest,
  takenPlace,
  writeManifest,
} from './manifest.ts';
import { refuseUnknownMigrations, settleLedger } from './restored-ledger.ts';
import { countFile, countTable, exportTable, restoreTable } from './table-data.ts';

const tableFile = (folder: string, table: TableName) => path.join(folder, `${table}.jsonl`);

/** Copies tables and bucket into an empty folder. */
export async function exportBackup(
  place: Place,
  folder: string,
  display: ProgressDisplay,
  now: Date,
): Promise<Manifest> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const there = await readdir(folder);
  if (there.length > 0) throw takenPlace(folder, there);
  const contents = await display.during(`Copying ${place.environment} to ${folder}`, () =>
    contentsBy(
      (table) => exportTable(place, table, tableFile(folder, table)),
      () => exportObjects(place, folder),
    ),
  );
  const manifest: Manifest = { format: FORMAT, environment: place.environment, madeAt: now.toISOString(), ...contents };
  await writeManifest(folder, manifest);
  return manifest;
}

export interface Restored {
  readonly manifest: Manifest;
  /** Items from the deployment that were removed before the restore, in words. */
  readonly cleared: readonly string[];
  /** Migrations that the restored data still needs. */
  readonly pending: readonly Migration[];
}

/**
 * Restores a whole backup into an environment that was deployed but never used, and verifies the result.
 */
export async function restoreBackup(
  place: Place,
  folder: string,
  display: ProgressDisplay,
  now: Date,
): Promise<Restored> {
  const manifest = await readManifest(folder);
  const { format } = manifest;
  const inBackup = await display.during('Reading the backup', () => contentsOfFolder(folder, format));
  const broken = differences(manifest, inBackup);
  if (broken.length > 0) throw new PlainError(`This backup is damaged: ${broken.join('; ')}. Nothing was restored.`);
  await refuseUnknownMigrations(tableFile(folder, 'provisioning'));
  const { taken, items } = await lookAtTarget(place, now.getTime());
  if (taken.length > 0) {
    throw new PlainError(
      `${place.environment} is not empty: ${taken.join(', ')}. Restore into a newly deployed environment.`,
    );
  }
  const cleared = await display.during(`Restoring into ${place.environment}`, async () => {
    const words = await clearFreshItems(place, items);
    const held = TABLES.filter((table) => holdsTable(format, table));
    await pMap(held, (table) => restoreTable(place, table, tableFile(folder, table)));
    await restoreObjects(place, folder);
    return words;
  });
  const found = await display.during('Comparing', () => contentsOf(place, format));
  // Format 1 does not record which checksums S3 kept, so all objects get one.
  const expected: Contents =
    format === 1 ? { ...manifest, objects: { ...manifest.objects, checksummed: manifest.objects.count } } : manifest;
  const wrong = differences(expected, found);
  if (wrong.length > 0) throw new PlainError(`The restored data differs from the backup: ${wrong.join('; ')}.`);
  return { manifest, cleared, pending: await settleLedger(place, now) };
}

/** Returns the differences between a backup and an environment, or within the backup itself. */
export async function verifyBackup(
  place: Place | undefined,
  folder: string,
  display: ProgressDisplay,
): Promise<readonly string[]> {
  const manifest = await readManifest(folder);
  const inFolder = await display.during('Reading the backup', () => contentsOfFolder(folder, manifest.format));
  const broken = differences(manifest, inFolder).map((one) => `in the backup, ${one}`);
  if (place === undefined) return broken;
  const found = await display.during(`Reading ${place.environment}`, () => contentsOf(place, manifest.format));
  return [...broken, ...differences(manifest, found).map((one) => `in ${place.environment}, ${one}`)];
}

function contentsOf(place: Place, format: Manifest['format']): Promise<Contents> {
  return contentsBy(
    (table) => (holdsTable(format, table) ? countTable(place, table) : NOTHING),
    () => countObjects(place, format),
  );
}

function contentsOfFolder(folder: string, format: Manifest['format']): Promise<Contents> {
  return contentsBy(
    (table) => (holdsTable(format, table) ? countFile(table, tableFile(folder, table)) : NOTHING),
    () => countObjectFiles(folder),
  );
}

const NOTHING = new SumOfHashes().counted();

async function contentsBy(
  ofTable: (table: TableName) => Counted | Promise<Counted>,
  ofObjects: () => Promise<Contents['objects']>,
): Promise<Contents> {
  const [users, provisioning, releases, limits, relay, garden, objects] = await Promise.all([
    ofTable('users'),
    ofTable('provisioning'),
    ofTable('ota-releases'),
    ofTable('rate-limits'),
    ofTable('relay'),
    ofTable('garden'),
    ofObjects(),
  ]);
  return { tables: { users, provisioning, 'ota-releases': releases, 'rate-limits': limits, relay, garden }, objects };
}
