import { DEFAULT_REPLAY_EVENTS, MAX_REPLAY_EVENTS } from '@autowatering/relay-protocol';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { Epoch, StreamName } from '../names.ts';
import { createContinuations } from './continuation.ts';
import { createLogStore } from './log-store.ts';
import { createPage, MOST_READS, type PageOutcome, type ResetOutcome } from './page.ts';
import { eventsLeft } from './stored-events.ts';
import type { Stream } from './stored-stream.ts';

export interface PageRequest {
  readonly epoch: Epoch;
  /** The last seq that the reader has. Not used with a continuation. */
  readonly after: number;
  readonly limit?: number | undefined;
  readonly continuation?: string | undefined;
}

/** Publishes that are read from the table at once. */
const CHUNKS_AT_ONCE = 250;

type Needed = Pick<Services, 'config' | 'documents' | 'secrets' | 'clock'>;

/** Reads pages of a stream's events, in order, without those that have expired. */
export function createReadPage(services: Needed) {
  const { clock } = services;
  const logs = createLogStore(services);
  const continuations = createContinuations(services);

  const reset = async (uid: Uid, stream: Stream): Promise<ResetOutcome> => {
    const oldest = await logs.readOldest(uid, stream, clock.now());
    return { outcome: 'reset', epoch: stream.epoch, head: stream.head, oldest: oldest?.firstSeq ?? stream.head + 1 };
  };

  /** What a request asks for, its continuation taken into account. */
  const placeOf = async (uid: Uid, stream: StreamName, { epoch, after, limit, continuation }: PageRequest) => {
    if (continuation === undefined) return { after, limit: limit ?? DEFAULT_REPLAY_EVENTS };
    const place = await continuations.verify(uid, stream, continuation);
    if (place?.of !== 'events' || place.epoch !== epoch) return undefined;
    if (place.limit !== undefined && limit !== undefined && limit !== place.limit) return undefined;
    return { after: place.after, limit: place.limit ?? limit ?? MAX_REPLAY_EVENTS };
  };

  return {
    /** One page of the events after `after`. */
    async readPage(uid: Uid, name: StreamName, request: PageRequest): Promise<PageOutcome> {
      const [stream, place] = await Promise.all([logs.readStream(uid, name), placeOf(uid, name, request)]);
      if (stream === undefined) return { outcome: 'not_found' };
      if (place === undefined) return { outcome: 'bad_continuation' };
      return read(uid, stream, request.epoch, place);
    },

    /**
     * A page for a subscriber, of at most `MAX_REPLAY_EVENTS`. Its continuation may be followed with any limit.
     */
    pageOf: (uid: Uid, stream: Stream, epoch: Epoch, after: number): Promise<PageOutcome> =>
      read(uid, stream, epoch, { after, limit: MAX_REPLAY_EVENTS, anyLimit: true }),
  };

  async function read(
    uid: Uid,
    stream: Stream,
    epoch: Epoch,
    { after, limit, anyLimit = false }: { after: number; limit: number; anyLimit?: boolean },
  ): Promise<PageOutcome> {
    if (stream.epoch !== epoch || after > stream.head) return reset(uid, stream);
    const now = clock.now();
    const page = createPage(Math.min(limit, MAX_REPLAY_EVENTS));
    let [position, isOver, mayBeGone] = [after, after === stream.head, true];
    for (let reads = 0; reads < MOST_READS && !isOver && !page.isFull; reads += 1) {
      const { chunks, hasMore } = await logs.readChunks(uid, stream, position, CHUNKS_AT_ONCE);
      const kept = chunks.filter(({ goneAt }) => goneAt > now);
      // Events at the beginning are missing: they are gone, or were of publishes that expired sooner than their neighbours.
      if (mayBeGone && (kept[0]?.firstSeq ?? (hasMore ? 0 : stream.head + 1)) > after + 1) {
        const gone = await reset(uid, stream);
        if (gone.oldest > after + 1) return gone;
      }
      if (kept.length > 0) mayBeGone = false;
      for (const chunk of chunks) {
        const end = page.add(eventsLeft(chunk, now).filter(({ seq }) => seq > position));
        position = end ?? chunk.lastSeq;
        if (page.isFull) break;
      }
      isOver = !hasMore && !page.isFull;
    }
    const isLast = isOver || position >= stream.head;
    const next = { of: 'events', epoch, after: position, ...(anyLimit ? {} : { limit }) } as const;
    return {
      ...{ outcome: 'page', epoch, head: stream.head, events: page.events },
      ...(isLast ? {} : { continuation: await continuations.sign(uid, stream.name, next) }),
    };
  }
}
