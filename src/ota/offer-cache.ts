import type { Clock } from '../platform/clock.ts';
import type { Track } from './release.ts';

/** A published release is seen everywhere after at most this long. */
export const OFFER_CACHE_MS = 30_000;
/** Board and channel come from the public: however many are made up, the cache stays small. */
const MOST_TRACKS = 200;

/**
 * A cache of what is offered per track, for the life of the container. Requests that come while an answer is being
 * read share that read; a failed read is not kept.
 */
export function createOfferCache<T>(clock: Clock, read: (track: Track) => Promise<T>) {
  const entries = new Map<string, { readonly at: number; readonly value: Promise<T> }>();
  const keyOf = ({ board, channel }: Track) => `${board}|${channel}`;

  return {
    get(track: Track): Promise<T> {
      const key = keyOf(track);
      const kept = entries.get(key);
      if (kept !== undefined && clock.now() - kept.at < OFFER_CACHE_MS) return kept.value;
      const entry = { at: clock.now(), value: read(track) };
      entries.delete(key);
      entries.set(key, entry);
      entry.value.catch(() => {
        if (entries.get(key) === entry) entries.delete(key);
      });
      for (const oldest of entries.keys()) {
        if (entries.size <= MOST_TRACKS) break;
        entries.delete(oldest);
      }
      return entry.value;
    },
    forget(track: Track): void {
      entries.delete(keyOf(track));
    },
  };
}
