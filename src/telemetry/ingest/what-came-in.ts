import { LOST_RECORD, rowsRecord } from '../rows/periods.ts';
import type { Chunk } from '../store/chunk.ts';
import type { Batch } from './batch.ts';

/** Where an upload's rows and sessions will be stored, and when they were read from the device: to find them again by day. */
export function whatCameIn({ measurements, months, lost }: Pick<Batch, 'measurements' | 'months' | 'lost'>) {
  const hasAny = ({ rows = [], sessions = [] }: Partial<Chunk>) => rows.length + sessions.length > 0;
  const parts = [...measurements, ...[...months].map(([month, own]) => [rowsRecord(month), own] as const)].filter(
    ([, own]) => own.some(hasAny),
  );
  const all = [...parts.flatMap(([, own]) => own), ...lost];
  const readAts = new Set<number>();
  for (const { rows = [], sessions = [] } of all) {
    for (const { readAt } of rows) readAts.add(readAt);
    for (const { endedAt } of sessions) readAts.add(endedAt);
  }
  const records = [...parts.map(([record]) => record), ...(lost.length > 0 ? [LOST_RECORD] : [])];
  return { records, readAts: [...readAts] };
}
