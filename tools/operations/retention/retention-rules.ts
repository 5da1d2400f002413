import type { TableName } from '../../cli/target/place.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The keys of each table, by which a single item is removed. */
export const TABLE_KEYS: Readonly<Record<TableName, readonly [string] | readonly [string, string]>> = {
  users: ['uid', 'record'],
  provisioning: ['hw_id', 'record'],
  'ota-releases': ['board_channel', 'version'],
  'rate-limits': ['id'],
};

/** Objects that are only kept for a while (docs/retention.md, and the bucket's own lifecycle in template.yaml). */
export const OBJECT_RULES = [
  { name: 'abandoned drafts', prefix: 'drafts/', afterMs: 7 * DAY_MS },
  { name: 'abandoned photos', prefix: 'uploads/', afterMs: DAY_MS },
] as const;

/** A state that no record points to: somebody's save was cut off behind its object. Younger, it may be under way. */
export const ORPHANED_STATE = { name: 'orphaned states', prefix: 'user-state/', afterMs: DAY_MS } as const;

/**
 * What kind of item a key is of, for counting: the words before the first id. Never the ids themselves, which may name
 * somebody.
 */
export function kindOf(table: TableName, item: Readonly<Record<string, unknown>>): string {
  const keys = TABLE_KEYS[table];
  const name = item[keys[1] ?? keys[0]];
  return typeof name === 'string' ? (name.split('#')[0] ?? '') : '';
}
