import type { Row } from '../evidence.ts';
import { ROW_STRUCTURES } from './row-layout.ts';

/** What a row's bytes say, field by field, as the present reader reads them. Reserved bytes are left out. */
export function decodeRow({ kind, bytes }: Pick<Row, 'kind' | 'bytes'>): Readonly<Record<string, number>> {
  const values = ROW_STRUCTURES[kind].read(bytes);
  if (values === undefined) throw new Error(`a stored row of ${kind} has another length`);
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
