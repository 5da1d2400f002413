import type { Services } from '../../platform/services.ts';
import { ARCHIVE_PREFIX, type ArchiveKind, kindOfKey, shardOfKey } from './archive-keys.ts';
import type { ArchiveProgress } from './archive-progress.ts';
import { ARCHIVE_TABLES, type ArchiveRow } from './archive-tables.ts';
import type { Erasures } from './erasures.ts';
import { createParquetFile, readParquet } from './parquet-file.ts';

const CONTENT_TYPE = 'application/vnd.apache.parquet';

export interface ErasureParts {
  readonly erasures: Erasures;
  readonly progress: ArchiveProgress;
  readonly objectStore: Pick<Services['objectStore'], 'list' | 'read' | 'put' | 'remove'>;
}

/**
 * Rewrites the archive's files without the accounts that asked for it: all that are waiting in one pass over the files of
 * their shards. A pass that stops half-way goes on with the next run, and strikes them off the list at its end only. Never
 * runs while files are being written.
 */
export async function eraseFromArchive(
  { erasures, progress, objectStore }: ErasureParts,
  now: number,
  signal: Pick<AbortSignal, 'aborted'>,
): Promise<{ readonly erased: number; readonly rewritten: number }> {
  const place = (await progress.erasing()) ?? { startedAt: now, afterKey: undefined };
  const waiting = (await erasures.list()).filter(({ requestedAt }) => requestedAt <= place.startedAt);
  if (waiting.length === 0) {
    if (place.startedAt < now) await progress.eraseOn(undefined);
    return { erased: 0, rewritten: 0 };
  }
  await progress.eraseOn(place);
  const gone = new Set<string>(waiting.map(({ pseudonym }) => pseudonym));
  const shards = new Set(waiting.flatMap((erasure) => erasure.shards));
  let rewritten = 0;
  let after = place.afterKey;
  for (;;) {
    const keys = await objectStore.list(ARCHIVE_PREFIX, after);
    if (keys.length === 0) break;
    for (const key of keys) {
      if (signal.aborted) {
        await progress.eraseOn({ startedAt: place.startedAt, afterKey: after });
        return { erased: 0, rewritten };
      }
      const [kind, shard] = [kindOfKey(key), shardOfKey(key)];
      if (kind !== undefined && shard !== undefined && shards.has(shard)) {
        if (await rewriteWithout(objectStore, key, kind, gone)) rewritten += 1;
      }
      after = key;
    }
  }
  for (const erasure of waiting) await erasures.finish(erasure);
  await progress.eraseOn(undefined);
  return { erased: waiting.length, rewritten };
}

async function rewriteWithout(
  objectStore: ErasureParts['objectStore'],
  key: string,
  kind: ArchiveKind,
  gone: ReadonlySet<string>,
): Promise<boolean> {
  const bytes = await objectStore.read(key);
  if (bytes === undefined) return false;
  const isGone = ({ account }: ArchiveRow) => typeof account === 'string' && gone.has(account);
  let isThere = false;
  for await (const rows of readParquet(bytes, ['account'])) isThere ||= rows.some(isGone);
  if (!isThere) return false;
  const file = createParquetFile(ARCHIVE_TABLES[kind]);
  for await (const rows of readParquet(bytes)) await file.add(rows.filter((row) => !isGone(row)));
  if (file.rows === 0) await objectStore.remove(key);
  else await objectStore.put(key, await file.finish(), CONTENT_TYPE);
  return true;
}
