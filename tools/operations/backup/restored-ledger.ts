import { unmarshall } from '@aws-sdk/util-dynamodb';
import { PlainError } from '../../cli/plain-error.ts';
import type { Place } from '../../cli/target/place.ts';
import { LEDGER, migrationLedger } from '../migrate/ledger.ts';
import type { Migration } from '../migrate/migration.ts';
import { MIGRATIONS } from '../migrate/migrations.ts';
import { linesOf } from './backup-file.ts';
import { parseItemLine } from './item-lines.ts';

/**
 * Refuses a backup whose data was migrated further than this checkout knows: its code could not read it.
 *
 * @param file the table in which the ledger is kept, as a file of items
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
      'Restore it with the code that it was made with, or newer code. Nothing was restored.',
  );
}

/**
 * Makes the restored ledger fit the tables it lies in now: a migration that was cut off begins again, since its place in
 * the old table means nothing in the new one, and the lock of a run that was under way is gone.
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
