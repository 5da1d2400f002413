import { randomUUID } from 'node:crypto';
import type { TableName } from '../../cli/target/place.ts';
import { type Item, itemLine } from './item-lines.ts';

/**
 * Connections, and who is online: they mean nothing anywhere else or later, and hold the keys of sessions. So does the
 * progress of work by time. Backups leave them out.
 */
export function isOfTheMoment(table: TableName, item: Item): boolean {
  const { partition, record } = item;
  if (isProgress(table, item)) return true;
  return (
    table === 'relay' && (partition?.S?.startsWith('connection#') === true || record?.S?.startsWith('online#') === true)
  );
}

const PROGRESS = new Set(['jobs', 'telemetry-look', 'telemetry-archive', 'update-news']);

/** How far the work by time is. It begins with the deployment, changes every few minutes, and finds its own beginning. */
export function isProgress(table: TableName, { partition }: Item): boolean {
  return table === 'garden' && PROGRESS.has(partition?.S ?? '');
}

function isStream(table: TableName, { record }: Item): boolean {
  return table === 'relay' && record?.S?.startsWith('stream#') === true;
}

/**
 * Returns the item as it is to be stored. A restored stream lacks what was published later, and its numbers will be
 * given again: a new epoch makes clients read it anew rather than take one event for another.
 */
export function asRestored(table: TableName, item: Item): Item {
  return isStream(table, item) ? { ...item, epoch: { S: randomUUID() } } : item;
}

/** Returns an item as a line for comparisons, in which restoring changes nothing. */
export function comparedLine(table: TableName, item: Item): string {
  if (!isStream(table, item)) return itemLine(item);
  const { epoch: _epoch, ...rest } = item;
  return itemLine(rest);
}
