import { createHash } from 'node:crypto';
import type { HwId } from '../../platform/ids.ts';
import { ROW_KINDS, type RowKind } from '../evidence.ts';

/** What the archive has a table of. */
export type ArchiveKind = RowKind | 'session' | 'live';

/** Each day's devices are spread over this many files of a kind, so that a deletion rewrites few of them. */
export const SHARDS = 16;

export function shardOf(hwId: HwId): number {
  return (createHash('sha256').update(`shard|${hwId}`).digest()[0] ?? 0) % SHARDS;
}

export const ARCHIVE_PREFIX = 'archive/telemetry/';
const SHARD_DIGITS = 2;

/** Partitions as Athena and DuckDB know them from paths. `part` counts from 0 when a shard's day needs several files. */
export function archiveKey(kind: ArchiveKind, day: string, shard: number, part: number): string {
  const name = `shard=${String(shard).padStart(SHARD_DIGITS, '0')}${part === 0 ? '' : `-${part}`}`;
  return `${ARCHIVE_PREFIX}kind=${kind}/day=${day}/${name}.parquet`;
}

const KEY = /\/kind=([a-z_]+)\/day=\d{4}-\d\d-\d\d\/shard=(\d\d)(?:-\d+)?\.parquet$/;

/** The shard of an archive's file; undefined for any other object. */
export function shardOfKey(key: string): number | undefined {
  const shard = KEY.exec(key)?.[2];
  return shard === undefined ? undefined : Number(shard);
}

export function kindOfKey(key: string): ArchiveKind | undefined {
  const kind = KEY.exec(key)?.[1];
  return kind === 'session' || kind === 'live' ? kind : ROW_KINDS.find((known) => known === kind);
}
