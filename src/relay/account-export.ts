import { MAX_REPLAY_EVENTS, type RelayEvent } from '@autowatering/relay-protocol';
import type { Uid } from '../platform/ids.ts';
import type { Epoch, StreamName } from './names.ts';
import type { RelayParts } from './parts.ts';
import type { Cursor } from './peers/cursor-list.ts';
import type { Peer } from './peers/peer.ts';

/** What the relay holds about a user. Times in milliseconds since 1970. */
export interface RelayRecords {
  readonly peers: readonly Peer[];
  readonly cursors: readonly Cursor[];
  readonly streams: readonly {
    readonly stream: StreamName;
    readonly epoch: Epoch;
    readonly head: number;
    readonly retentionDays: number;
    readonly createdAt: number;
    readonly events: readonly RelayEvent[];
    /** False when the document would become too large: the API has the events, by pages. */
    readonly isComplete: boolean;
  }[];
}

/** Of all streams together. A function's answer may have 6 MB, and state and history are in the document too. */
const MOST_BYTES = 2 * 1024 * 1024;

export async function exportRelayAccount(
  { peers, listCursors, streams, readPage }: RelayParts,
  uid: Uid,
): Promise<RelayRecords> {
  const [all, cursors, listed] = await Promise.all([peers.list(uid), listCursors(uid), streams.list(uid)]);
  let room = MOST_BYTES;
  const withEvents: RelayRecords['streams'][number][] = [];
  for (const { stream, epoch, head, retentionDays, createdAt } of listed) {
    const read = await eventsOf(readPage, uid, { stream, epoch }, room);
    room -= Buffer.byteLength(JSON.stringify(read.events));
    withEvents.push({ stream, epoch, head, retentionDays, createdAt, ...read });
  }
  return { peers: all, cursors, streams: withEvents };
}

/** @param most about how many bytes; the page that exceeds them is the last */
async function eventsOf(
  readPage: RelayParts['readPage'],
  uid: Uid,
  { stream, epoch }: { readonly stream: StreamName; readonly epoch: Epoch },
  most: number,
) {
  const events: RelayEvent[] = [];
  let [after, bytes] = [0, 0];
  let continuation: string | undefined;
  while (bytes < most) {
    const page = await readPage(uid, stream, { epoch, after, limit: MAX_REPLAY_EVENTS, continuation });
    if (page.outcome === 'reset' && page.epoch === epoch && page.oldest > after + 1) {
      // The first events have expired.
      after = page.oldest - 1;
    } else if (page.outcome === 'page') {
      events.push(...page.events);
      bytes += Buffer.byteLength(JSON.stringify(page.events));
      continuation = page.continuation;
      if (continuation === undefined) return { events, isComplete: true };
    } else break;
  }
  return { events, isComplete: false };
}
