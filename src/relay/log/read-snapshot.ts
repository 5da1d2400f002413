import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { StreamName } from '../names.ts';
import { createContinuations } from './continuation.ts';
import { createLogStore } from './log-store.ts';
import { createPage, MOST_READS, type PageOutcome } from './page.ts';

const KEYS_AT_ONCE = 250;
const MOST_EVENTS = 1_000;

type Needed = Pick<Services, 'config' | 'documents' | 'secrets' | 'clock'>;

/** Reads the newest event of each key of a stream, by key. */
export function createReadSnapshot(services: Needed) {
  const { clock } = services;
  const logs = createLogStore(services);
  const continuations = createContinuations(services);

  return async (uid: Uid, name: StreamName, continuation?: string): Promise<PageOutcome> => {
    // The head is read first: newer events may or may not be in the snapshot, and will be replayed.
    const [stream, place] = await Promise.all([
      logs.readStream(uid, name),
      continuation === undefined ? undefined : continuations.verify(uid, name, continuation),
    ]);
    if (stream === undefined) return { outcome: 'not_found' };
    if (continuation !== undefined && place?.of !== 'snapshot') return { outcome: 'bad_continuation' };
    const from = place?.of === 'snapshot' ? place : undefined;
    const { epoch, head } = stream;
    if (from !== undefined && from.epoch !== epoch) return { outcome: 'reset', epoch, head, oldest: head + 1 };
    const now = clock.now();
    const page = createPage(MOST_EVENTS);
    let [afterKey, isOver] = [from?.afterKey, false];
    for (let reads = 0; reads < MOST_READS && !isOver && !page.isFull; reads += 1) {
      const { entries, hasMore } = await logs.readNewest(uid, stream, afterKey, KEYS_AT_ONCE);
      for (const { key, event, until } of entries) {
        if (until > now) page.add([event]);
        if (page.isFull) break;
        afterKey = key;
      }
      isOver = !hasMore && !page.isFull;
    }
    const at = from?.head ?? head;
    return {
      ...{ outcome: 'page', epoch, head: at, events: page.events },
      ...(isOver || afterKey === undefined
        ? {}
        : { continuation: await continuations.sign(uid, name, { of: 'snapshot', epoch, head: at, afterKey }) }),
    };
  };
}
