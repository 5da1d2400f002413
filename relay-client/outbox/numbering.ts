import type { OutboxEntry } from './outbox.ts';
import type { Queues } from './queues.ts';

/** Sent times may be off by five minutes: what was made before that, without a connection, is sent now. */
const SENT_AT_GOOD_MS = 4 * 60_000;

/** Gives entries their `client_seq`, and takes it back. */
export class Numbering {
  readonly #queues: Queues;
  /** The next client_seq of each stream, as far as known. */
  readonly #next = new Map<string, number>();

  constructor(queues: Queues) {
    this.#queues = queues;
  }

  /** The server goes on with this number. */
  continueAt(stream: string, next: number): void {
    this.#next.set(stream, next);
  }

  /** Gives numbers to what has none, and keeps them before anything is sent. @param now by the server's clock */
  async number(stream: string, batch: readonly OutboxEntry[], now: number): Promise<readonly OutboxEntry[]> {
    if (batch[0]?.sent !== undefined) return batch;
    const fresh = batch.map((entry) => {
      const isFresh = Math.abs(now - entry.event.sent_at) < SENT_AT_GOOD_MS;
      return isFresh ? entry : { ...entry, event: { ...entry.event, sent_at: now } };
    });
    return this.#queues.keep(stream, numbered(fresh, this.#next.get(stream) ?? 1));
  }

  /** Numbers a batch anew from what the server expects. */
  async renumber(stream: string, batch: readonly OutboxEntry[], next: number): Promise<void> {
    this.continueAt(stream, next);
    await this.#queues.keep(stream, numbered(batch, next));
  }

  /** Takes the numbers of a refused batch back: they were not used. */
  async takeBack(stream: string, batch: readonly OutboxEntry[]): Promise<void> {
    await this.#queues.keep(
      stream,
      batch.map(({ sent, ...entry }) => entry),
    );
    this.continueAt(stream, batch[0]?.sent?.batch ?? 1);
  }
}

function numbered(batch: readonly OutboxEntry[], first: number): readonly OutboxEntry[] {
  return batch.map((entry, index) => ({ ...entry, sent: { clientSeq: first + index, batch: first } }));
}
