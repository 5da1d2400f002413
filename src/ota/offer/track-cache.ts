import type { Clock } from '../../platform/clock.ts';

/** Keys come from the public: however many are made up, the cache stays small. */
const MOST_ENTRIES = 200;

/**
 * A cache for the container's lifetime. Requests that arrive while an answer is being read share that read; failed
 * reads are not cached.
 *
 * @param maxAgeMs how long an answer is valid
 */
export function createTrackCache<T>(clock: Clock, maxAgeMs: number) {
  const entries = new Map<string, { readonly at: number; readonly value: Promise<T> }>();

  return {
    get(key: string, read: () => Promise<T>): Promise<T> {
      const kept = entries.get(key);
      const age = kept === undefined ? maxAgeMs : clock.now() - kept.at;
      if (kept !== undefined && age >= 0 && age < maxAgeMs) return kept.value;
      const entry = { at: clock.now(), value: read() };
      entries.delete(key);
      entries.set(key, entry);
      entry.value.catch(() => {
        if (entries.get(key) === entry) entries.delete(key);
      });
      for (const oldest of entries.keys()) {
        if (entries.size <= MOST_ENTRIES) break;
        entries.delete(oldest);
      }
      return entry.value;
    },
    forget(key: string): void {
      entries.delete(key);
    },
  };
}
