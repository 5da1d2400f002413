import type { GatheredRead, Gathering } from './gathering.ts';
import { ROW_BYTES, type RowKind } from './row-bytes.ts';

/** What `POST /telemetry` takes, without the time of sending. */
export interface UploadBody {
  readonly serial: string;
  readonly phone_session: string;
  readonly time_zone?: string;
  readonly uptime?: { readonly uptime_ms: number; readonly source: 'diagnostics'; readonly read_at: number };
  readonly reads: readonly UploadRead[];
  readonly readings: readonly object[];
  readonly sessions: readonly object[];
}

interface UploadRead {
  readonly kind: RowKind;
  /** In base64. */
  readonly rows: string;
}

export interface UploadPlace {
  readonly serial: string;
  readonly visitId: string;
  /** The owner's, such as `Europe/Bucharest`. */
  readonly timeZone?: string | undefined;
}

const MOST_ROWS = 4_000;
const MOST_READS = 200;
const MOST_READINGS = 500;
const MOST_SESSIONS = 100;

/** Puts what was gathered into as few uploads as the API's limits allow. A ring's read stays whole. */
export function uploadBodies(
  { reads, readings, sessions, uptime }: Gathering,
  { serial, visitId, timeZone }: UploadPlace,
): readonly UploadBody[] {
  const parts = inParts(reads);
  return (parts.length === 0 ? [[]] : parts).map((part, index) => ({
    ...{ serial, phone_session: visitId },
    ...(timeZone !== undefined && { time_zone: timeZone }),
    ...(uptime !== undefined && {
      uptime: { uptime_ms: uptime.uptimeMs, source: 'diagnostics' as const, read_at: uptime.readAt },
    }),
    reads: part.map(({ kind, channel, readAt, fromAt, rows }) => ({
      ...{ kind, read_at: readAt, rows: base64(rows) },
      ...(channel !== undefined && { channel }),
      ...(fromAt !== undefined && { from_at: fromAt }),
    })),
    readings:
      index > 0 ? [] : readings.map(({ kind, readAt, bytes }) => ({ kind, read_at: readAt, bytes: base64(bytes) })),
    sessions:
      index > 0
        ? []
        : sessions.map(({ sessionId, channel, startedAt, sawStart, endedAt, ended, millilitres }) => ({
            ...{ session_id: sessionId, channel, started_at: startedAt, saw_start: sawStart, ended_at: endedAt, ended },
            millilitres: Math.round(millilitres),
          })),
  }));
}

/**
 * Two uploads about one device as one, for a phone that had no network in between; undefined if that would exceed a limit.
 * The uptime of the earlier one is in its samples.
 */
export function joinedBodies(one: UploadBody, next: UploadBody): UploadBody | undefined {
  if (one.serial !== next.serial) return undefined;
  const reads = [...one.reads, ...next.reads];
  const readings = [...one.readings, ...next.readings];
  const sessions = [...one.sessions, ...next.sessions];
  const rows = reads.reduce((sum, read) => sum + Math.ceil((read.rows.length * 3) / 4 / ROW_BYTES[read.kind]), 0);
  const isTooMuch = rows > MOST_ROWS || readings.length > MOST_READINGS || sessions.length > MOST_SESSIONS;
  return isTooMuch || reads.length > MOST_READS ? undefined : { ...one, ...next, reads, readings, sessions };
}

function inParts(reads: readonly GatheredRead[]): readonly (readonly GatheredRead[])[] {
  const parts: GatheredRead[][] = [];
  let rowsInLast = MOST_ROWS;
  for (const read of reads) {
    const rows = read.rows.byteLength / ROW_BYTES[read.kind];
    const last = parts.at(-1);
    if (last === undefined || rowsInLast + rows > MOST_ROWS || last.length === MOST_READS) {
      parts.push([read]);
      rowsInLast = rows;
    } else {
      last.push(read);
      rowsInLast += rows;
    }
  }
  return parts;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
