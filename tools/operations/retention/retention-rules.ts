import type { TableName } from '../../cli/target/place.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The key attributes of each table. */
export const TABLE_KEYS: Readonly<Record<TableName, readonly [string] | readonly [string, string]>> = {
  users: ['uid', 'record'],
  provisioning: ['hw_id', 'record'],
  'ota-releases': ['board_channel', 'version'],
  'rate-limits': ['id'],
  relay: ['partition', 'record'],
  garden: ['partition', 'record'],
};

/** Objects with limited retention (docs/retention.md, and the bucket's lifecycle rules in template.yaml). */
export const OBJECT_RULES = [
  { name: 'abandoned drafts', prefix: 'drafts/', afterMs: 7 * DAY_MS },
  { name: 'abandoned photos', prefix: 'uploads/', afterMs: DAY_MS },
] as const;

/** A state that no record points to, from a save that broke off after the upload. Younger ones may be in progress. */
export const ORPHANED_STATE = { name: 'orphaned states', prefix: 'user-state/', afterMs: DAY_MS } as const;

/**
 * Returns the kind of an item, for counting: its key up to the first id. Ids are left out, as they can identify people.
 */
export function kindOf(table: TableName, item: Readonly<Record<string, unknown>>): string {
  if (table === 'relay') return kindOfRelayItem(item);
  if (table === 'garden') return kindOfGardenItem(item);
  const keys = TABLE_KEYS[table];
  const name = item[keys[1] ?? keys[0]];
  return typeof name === 'string' ? (name.split('#')[0] ?? '') : '';
}

/** An account's partition begins with its uid; those of its events say so behind it. */
function kindOfRelayItem({ partition, record }: Readonly<Record<string, unknown>>): string {
  const [first = '', kind] = String(partition).split('#');
  if (kind === 'events' || kind === 'newest') return kind;
  return kind === undefined ? (String(record).split('#')[0] ?? '') : first;
}

/** The first part of a record says what it is; a partition names the account, and sometimes a device. */
function kindOfGardenItem({ record }: Readonly<Record<string, unknown>>): string {
  return String(record).split('#')[0] ?? '';
}
