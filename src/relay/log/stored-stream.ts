import { fields, number, recordOf, text, textThat, wholeNumber } from '../../platform/shapes.ts';
import { type Epoch, isEpoch, isStreamName, type StreamName } from '../names.ts';
import { STREAM_PREFIX } from '../table-keys.ts';

/** A stream as it is stored. Times in milliseconds since 1970. */
export interface Stream {
  readonly name: StreamName;
  /** Names the stream's events in the table. It outlives a change of epoch, but not the stream's deletion. */
  readonly logId: string;
  readonly epoch: Epoch;
  /** The seq of the newest event, 0 if there is none. */
  readonly head: number;
  /** Bytes of all events ever. */
  readonly written: number;
  /** How many of these are known to have expired. */
  readonly removed: number;
  /** What `written` may reach before the account's limit must be checked again. */
  readonly allotted: number;
  readonly retentionDays: number;
  readonly createdAt: number;
  /** By peer: its last event of this epoch. */
  readonly authors: ReadonlyMap<string, Position>;
  /** Whether `authors` is what is stored: a restored stream has a new epoch and the old one's authors. */
  readonly areAuthorsStored: boolean;
}

/** Where an author is in a stream. */
export interface Position {
  readonly clientSeq: number;
  readonly seq: number;
}

export const SCHEMA = 1;

const streamName = textThat(isStreamName, 'the name of a stream');
const storedStream = fields({
  record: text,
  log_id: text,
  epoch: textThat(isEpoch, 'an epoch'),
  head: wholeNumber(0),
  written: number,
  removed: number,
  allotted: number,
  retention_days: wholeNumber(1),
  created_at: number,
  authors: recordOf(fields({ client_seq: number, seq: number })),
  authors_epoch: text,
});

export function toStream(item: Record<string, unknown>): Stream {
  const stored = storedStream(item);
  const areAuthorsStored = stored.authors_epoch === stored.epoch;
  const authors = areAuthorsStored ? Object.entries(stored.authors) : [];
  return {
    name: streamName(stored.record.slice(STREAM_PREFIX.length)),
    logId: stored.log_id,
    epoch: stored.epoch,
    head: stored.head,
    written: stored.written,
    removed: stored.removed,
    allotted: stored.allotted,
    retentionDays: stored.retention_days,
    createdAt: stored.created_at,
    authors: new Map(authors.map(([peer, at]) => [peer, { clientSeq: at.client_seq, seq: at.seq }])),
    areAuthorsStored,
  };
}

/** A stream's attributes except its key. */
export function fromStream(stream: Stream): Record<string, unknown> {
  return {
    log_id: stream.logId,
    epoch: stream.epoch,
    head: stream.head,
    written: stream.written,
    removed: stream.removed,
    allotted: stream.allotted,
    retention_days: stream.retentionDays,
    created_at: stream.createdAt,
    authors: storedAuthors(stream),
    authors_epoch: stream.epoch,
    schema: SCHEMA,
  };
}

export function storedAuthors({ authors }: Pick<Stream, 'authors'>) {
  return Object.fromEntries([...authors].map(([peer, at]) => [peer, storedPosition(at)]));
}

export function storedPosition({ clientSeq, seq }: Position) {
  return { client_seq: clientSeq, seq };
}
