import type { Json, NewEvent, RelayEvent } from '@autowatering/relay-protocol';
import { ttlSeconds } from '../../platform/clock.ts';
import { fields, listOf, number, optional, type Shape, ShapeError, text, textThat } from '../../platform/shapes.ts';
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
const json: Shape<Json> = (value, at) => {
  if (isJson(value)) return value;
  throw new ShapeError([{ place: at ?? '', expected: 'JSON' }]);
};

function isJson(value: unknown): value is Json {
  return value !== undefined;
}

/** Events are stored as text: DynamoDB's own numbers and nesting have narrower limits than JSON. */
const storedEvents = listOf(
  fields({
    event_id: text,
    type: text,
    payload: json,
    sent_at: number,
    key: optional(text),
    expires_at: optional(number),
  }),
);

const storedChunk = fields({
  epoch: textThat(isEpoch, 'an epoch'),
  peer_id: textThat(isPeerId, 'the id of a peer'),
  first_seq: number,
  last_seq: number,
  client_seq: number,
  previous: number,
  received_at: number,
  gone_at: number,
  written_before: number,
  events: text,
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
  const stored = storedChunk(item);
  const common = { peer_id: stored.peer_id, received_at: stored.received_at };
  const events = storedEvents(JSON.parse(stored.events)).map((event, index) => ({
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

const storedNewest = fields({ seq: number, valid_until: number, event: text });
const storedNewestEvent = fields({
  seq: number,
  event_id: text,
  type: text,
  key: optional(text),
  payload: json,
  peer_id: text,
  client_seq: number,
  sent_at: number,
  received_at: number,
  expires_at: optional(number),
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
  const stored = storedNewest(item);
  return { event: storedNewestEvent(JSON.parse(stored.event)), until: stored.valid_until };
}
