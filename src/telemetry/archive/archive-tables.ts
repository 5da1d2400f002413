import { READER_VERSION } from '@autowatering/device-data';
import { ROW_KINDS, type Row, type WatchedSession } from '../evidence.ts';
import { decodeRow } from '../rows/decode-row.ts';
import { decodeReading } from '../rows/reading-bytes.ts';
import { ROW_STRUCTURES } from '../rows/row-layout.ts';
import type { Sample } from '../store/chunk.ts';
import type { ArchiveKind } from './archive-keys.ts';
import type { Pseudonym } from './pseudonym.ts';

/** What a column of a file can hold. `unsigned`: up to 32 bits, which Parquet's own integers of that width can't. */
export type ColumnType = 'text' | 'integer' | 'unsigned' | 'time' | 'flag' | 'bytes';
export type Cell = string | number | bigint | boolean | Date | Uint8Array | null;

export interface ArchiveColumn {
  readonly name: string;
  readonly type: ColumnType;
}

/** A row of the archive: a cell for each column of its kind. */
export type ArchiveRow = Readonly<Record<string, Cell>>;

const OWNER: readonly ArchiveColumn[] = [
  { name: 'account', type: 'text' },
  { name: 'device', type: 'text' },
];
const READ: readonly ArchiveColumn[] = [
  { name: 'read_at', type: 'time' },
  { name: 'reader_version', type: 'integer' },
];

const session: readonly ArchiveColumn[] = [
  ...OWNER,
  { name: 'session_id', type: 'text' },
  { name: 'channel', type: 'integer' },
  { name: 'started_at', type: 'time' },
  { name: 'saw_start', type: 'flag' },
  { name: 'ended_at', type: 'time' },
  { name: 'ended', type: 'text' },
  { name: 'millilitres', type: 'integer' },
  { name: 'reader_version', type: 'integer' },
];

/** Of samples, the file has what they say as JSON: each kind has other fields. */
const live: readonly ArchiveColumn[] = [
  ...OWNER,
  { name: 'reading', type: 'text' },
  { name: 'read_at', type: 'time' },
  { name: 'uptime_ms', type: 'unsigned' },
  { name: 'phone_session', type: 'unsigned' },
  { name: 'fields', type: 'text' },
  { name: 'bytes', type: 'bytes' },
  { name: 'reader_version', type: 'integer' },
];

function columnsOf(kind: Row['kind']): readonly ArchiveColumn[] {
  const { fields, bytes } = ROW_STRUCTURES[kind];
  const values = Object.keys(decodeRow({ kind, bytes: new Uint8Array(bytes) })).map((name): ArchiveColumn => {
    const width = Object.entries<{ readonly bytes: number }>(fields).find(([field]) => field === name)?.[1].bytes;
    return { name, type: width === 4 ? 'unsigned' : 'integer' };
  });
  return [
    ...OWNER,
    { name: 'occurred_at', type: 'time' },
    { name: 'is_clock_lost', type: 'flag' },
    ...values,
    { name: 'bytes', type: 'bytes' },
    ...READ,
  ];
}

export const ARCHIVE_KINDS: readonly ArchiveKind[] = [...ROW_KINDS, 'session', 'live'];

/** The columns of each kind: the device's own names for what its rows say. */
export const ARCHIVE_TABLES: Readonly<Record<ArchiveKind, readonly ArchiveColumn[]>> = {
  watering: columnsOf('watering'),
  rain_hourly: columnsOf('rain_hourly'),
  rain_daily: columnsOf('rain_daily'),
  environment_hourly: columnsOf('environment_hourly'),
  environment_daily: columnsOf('environment_daily'),
  session,
  live,
};

/** Stands for a device and its account. */
export interface Owned {
  readonly account: Pseudonym;
  readonly device: Pseudonym;
}

export function archivedRow({ account, device }: Owned, row: Row): ArchiveRow {
  const { kind, at, isClockLost, readAt, bytes } = row;
  const unsigned = new Set(ARCHIVE_TABLES[kind].flatMap(({ name, type }) => (type === 'unsigned' ? [name] : [])));
  const values = Object.entries(decodeRow(row)).map(([name, value]) => [
    name,
    unsigned.has(name) ? BigInt(value) : value,
  ]);
  return {
    ...{ account, device, occurred_at: new Date(at), is_clock_lost: isClockLost },
    ...Object.fromEntries(values),
    ...{ bytes, read_at: new Date(readAt), reader_version: READER_VERSION },
  };
}

export function archivedSession({ account, device }: Owned, watched: WatchedSession): ArchiveRow {
  const { sessionId, channel, startedAt, sawStart, endedAt, ended, millilitres } = watched;
  return {
    ...{ account, device, session_id: sessionId, channel, started_at: new Date(startedAt), saw_start: sawStart },
    ...{ ended_at: new Date(endedAt), ended, millilitres, reader_version: READER_VERSION },
  };
}

export function archivedSample({ account, device }: Owned, sample: Sample): ArchiveRow {
  const { kind, readAt, uptimeMs, phoneSession, bytes } = sample;
  return {
    ...{ account, device, reading: kind, read_at: new Date(readAt) },
    ...{ uptime_ms: uptimeMs === null ? null : BigInt(uptimeMs), phone_session: BigInt(phoneSession) },
    ...{ fields: JSON.stringify(decodeReading(sample)), bytes, reader_version: READER_VERSION },
  };
}
