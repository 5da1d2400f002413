import { unmarshall } from '@aws-sdk/util-dynamodb';
import { PlainError } from '../../cli/plain-error.ts';
import type { Place } from '../../cli/target/place.ts';
import { LEDGER, migrationLedger } from '../migrate/ledger.ts';
import type { Migration } from '../migrate/migration.ts';
import { MIGRATIONS } from '../migrate/migrations.ts';
import { linesOf } from './backup-file.ts';
import { parseItemLine } from './item-lines.ts';

/**
 * Refuses a backup with migrations that this checkout does not know: its code could not read the data.
 *
 * @param file the exported table that contains the ledger
 * @throws PlainError that names the migrations
 */
export async function refuseUnknownMigrations(file: string): Promise<void> {
  const known = new Set(MIGRATIONS.map(({ id }) => id));
  const unknown: string[] = [];
  for await (const line of linesOf(file)) {
    if (!line.includes(LEDGER)) continue;
    const { hw_id: holder, record, name, state } = unmarshall(parseItemLine(line));
    if (holder !== LEDGER || !/^\d+$/.test(record) || state === 'down' || known.has(Number(record))) continue;
    unknown.push(`${Number(record)} ${name}`);
  }
  if (unknown.length === 0) return;
  throw new PlainError(
    `This backup was made with migrations that this checkout does not know: ${unknown.join(', ')}. ` +
      'Restore it with the version it was made with, or a newer one. Nothing was restored.',
  );
}

/**
 * Adapts the restored ledger to its new tables: an interrupted migration starts over, because its cursor means nothing
 * in the new table, and the lock of a run that was active is removed.
 *
 * @returns the migrations that the restored data still needs
 */
export async function settleLedger(place: Place, now: Date): Promise<readonly Migration[]> {
  const ledger = migrationLedger(place);
  await ledger.removeLock();
  const pending: Migration[] = [];
  for (const migration of MIGRATIONS) {
    const progress = await ledger.read(migration);
    if (progress?.state !== 'up') pending.push(migration);
    if (progress?.cursor !== undefined) await ledger.write(migration, { ...progress, cursor: undefined }, now);
  }
  return pending;
}
