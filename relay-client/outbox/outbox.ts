import type { NewEvent } from '@autowatering/relay-protocol';

/** An event that is not published yet. */
export interface OutboxEntry {
  /** Rises with every entry; given by the outbox. */
  readonly id: number;
  readonly stream: string;
  readonly event: NewEvent;
  /** The seq that the event was made on top of. */
  readonly ifSeq?: number;
  /** How it was sent first: it is sent so again until there is an answer, so that the server recognises it. */
  readonly sent?: {
    readonly clientSeq: number;
    /** The client_seq of the first event of the same frame. */
    readonly batch: number;
  };
}

/** Keeps what is not published yet, if it can in a place that survives the end of the application. */
export interface Outbox {
  /** Resolves when the entry is safe. */
  add(entry: Omit<OutboxEntry, 'id'>): Promise<OutboxEntry>;
  /** Everything, in the order it was added. */
  all(): Promise<readonly OutboxEntry[]>;
  /** Replaces entries that are still there; all of them or none. */
  update(entries: readonly OutboxEntry[]): Promise<void>;
  remove(ids: readonly number[]): Promise<void>;
}

/** Forgets everything with the page or process. */
export function memoryOutbox(): Outbox {
  const entries = new Map<number, OutboxEntry>();
  let lastId = 0;
  return {
    async add(entry) {
      lastId += 1;
      const added = { ...entry, id: lastId };
      entries.set(lastId, added);
      return added;
    },
    all: async () => [...entries.values()],
    async update(changed) {
      for (const entry of changed) if (entries.has(entry.id)) entries.set(entry.id, entry);
    },
    async remove(ids) {
      for (const id of ids) entries.delete(id);
    },
  };
}
