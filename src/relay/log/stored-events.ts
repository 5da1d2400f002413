import type { Json, NewEvent, RelayEvent } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { ttlSeconds } from '../../platform/clock.ts';
import { type Epoch, isEpoch, isPeerId, type PeerId } from '../names.ts';

/** The events of one publish: one item of the table. Times in milliseconds since 1970. */
export interface Chunk {
  readonly epoch: Epoch;
  readonly peerId: PeerId;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Of the first event. */
  readonly clientSeq: number;
  /** The last seq of its author's publish before it in this epoch, 0 for the first. */
  readonly previous: number;
  readonly receivedAt: number;
  /** When the item may go. An event in it can be over before. */
  readonly goneAt: number;
  /** What the stream had written before. */
  readonly writtenBefore: number;
  readonly events: readonly RelayEvent[];
}

export const DAY_MS = 24 * 60 * 60 * 1000;
/** However soon events expire, a repeated publish is recognised for so long. */
const RECOGNISED_MS = 7 * DAY_MS;
const SCHEMA = 1;

/** Whatever `JSON.parse` returns: checked when it was published. */
const JsonValue = z.custom<Json>((value) => value !== undefined);

/** Events are stored as text: DynamoDB's own numbers and nesting have narrower limits than JSON. */
const StoredEvents = z.array(
  z.object({
    event_id: z.string(),
    type: z.string(),
    payload: JsonValue,
    sent_at: z.number(),
    key: z.string().exactOptional(),
    expires_at: z.number().exactOptional(),
  }),
);

const StoredChunk = z.object({
  epoch: z.string().refine(isEpoch),
  peer_id: z.string().refine(isPeerId),
  first_seq: z.number(),
  last_seq: z.number(),
  client_seq: z.number(),
  previous: z.number(),
  received_at: z.number(),
  gone_at: z.number(),
  written_before: z.number(),
  events: z.string(),
});

/** Numbers and dates the events of a publish. */
export function newEvents(
  events: readonly NewEvent[],
  { peerId, clientSeq, firstSeq, now }: { peerId: PeerId; clientSeq: number; firstSeq: number; now: number },
): readonly RelayEvent[] {
  return events.map(({ event_id, type, payload, sent_at, key, ttl_seconds }, index) => ({
    seq: firstSeq + index,
    event_id,
    type,
    ...(key === undefined ? {} : { key }),
    payload,
    peer_id: peerId,
    client_seq: clientSeq + index,
    sent_at,
    received_at: now,
    ...(ttl_seconds === undefined ? {} : { expires_at: now + ttl_seconds * 1000 }),
  }));
}

/** When an event is over: by its own time to live, or by its stream's retention. */
export function endOf(event: RelayEvent, retentionDays: number): number {
  const retained = event.received_at + retentionDays * DAY_MS;
  return Math.min(event.expires_at ?? retained, retained);
}

/** When the item of these events may go. */
export function goneAt(events: readonly RelayEvent[], retentionDays: number): number {
  const least = events.map((event) =>
    Math.min(event.received_at + RECOGNISED_MS, event.received_at + retentionDays * DAY_MS),
  );
  return Math.max(...least, ...events.map((event) => endOf(event, retentionDays)));
}

/** The events' text as it is stored; its size is what counts against the account's limit. */
export function eventsText(events: readonly RelayEvent[]): string {
  return JSON.stringify(
    events.map(({ event_id, type, payload, sent_at, key, expires_at }) => ({
      event_id,
      type,
      payload,
      sent_at,
      key,
      expires_at,
    })),
  );
}

/** A chunk's attributes except its key. */
export function fromChunk(chunk: Omit<Chunk, 'events'>, text: string): Record<string, unknown> {
  return {
    epoch: chunk.epoch,
    peer_id: chunk.peerId,
    first_seq: chunk.firstSeq,
    last_seq: chunk.lastSeq,
    client_seq: chunk.clientSeq,
    previous: chunk.previous,
    received_at: chunk.receivedAt,
    gone_at: chunk.goneAt,
    written_before: chunk.writtenBefore,
    events: text,
    expires_at: ttlSeconds(chunk.goneAt),
    schema: SCHEMA,
  };
}

export function toChunk(item: Record<string, unknown>): Chunk {
  const stored = StoredChunk.parse(item);
  const common = { peer_id: stored.peer_id, received_at: stored.received_at };
  const events = StoredEvents.parse(JSON.parse(stored.events)).map((event, index) => ({
    seq: stored.first_seq + index,
    ...event,
    ...common,
    client_seq: stored.client_seq + index,
  }));
  return {
    epoch: stored.epoch,
    peerId: stored.peer_id,
    firstSeq: stored.first_seq,
    lastSeq: stored.last_seq,
    clientSeq: stored.client_seq,
    previous: stored.previous,
    receivedAt: stored.received_at,
    goneAt: stored.gone_at,
    writtenBefore: stored.written_before,
    events,
  };
}

/** The chunk's events that are not over yet. */
export function eventsLeft(chunk: Chunk, now: number): readonly RelayEvent[] {
  if (chunk.goneAt <= now) return [];
  return chunk.events.filter(({ expires_at: end }) => end === undefined || end > now);
}

/** The newest event of a key. */
export interface Newest {
  readonly event: RelayEvent;
  /** When it is over. */
  readonly until: number;
}

const StoredNewest = z.object({ seq: z.number(), valid_until: z.number(), event: z.string() });
const StoredNewestEvent = z.object({
  seq: z.number(),
  event_id: z.string(),
  type: z.string(),
  key: z.string().exactOptional(),
  payload: JsonValue,
  peer_id: z.string(),
  client_seq: z.number(),
  sent_at: z.number(),
  received_at: z.number(),
  expires_at: z.number().exactOptional(),
});

/** Its attributes except its key. */
export function fromNewest(event: RelayEvent, retentionDays: number): Record<string, unknown> {
  const until = endOf(event, retentionDays);
  return {
    seq: event.seq,
    valid_until: until,
    event: JSON.stringify(event),
    expires_at: ttlSeconds(until),
    schema: SCHEMA,
  };
}

export function toNewest(item: Record<string, unknown>): Newest {
  const stored = StoredNewest.parse(item);
  return { event: StoredNewestEvent.parse(JSON.parse(stored.event)), until: stored.valid_until };
}
