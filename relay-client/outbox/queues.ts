import { nextBatch } from './batch.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';

/** What waits in the outbox, by stream and in order. Every change is safe in the outbox before it counts here. */
export class Queues {
  readonly #outbox: Outbox;
  readonly #queues = new Map<string, OutboxEntry[]>();
  /** Entries whose frame was refused as a whole: each is sent alone, to find which one it was. */
  readonly #alone = new Set<number>();

  constructor(outbox: Outbox) {
    this.#outbox = outbox;
  }

  get streams(): Iterable<string> {
    return this.#queues.keys();
  }

  of(stream: string): readonly OutboxEntry[] {
    return this.#queueOf(stream);
  }

  /** Takes over what an earlier run has left. */
  async load(): Promise<void> {
    for (const entry of await this.#outbox.all()) this.#queueOf(entry.stream).push(entry);
  }

  async add(entry: Omit<OutboxEntry, 'id' | 'sent'>, onAdded: (added: OutboxEntry) => void): Promise<void> {
    const added = await this.#outbox.add(entry);
    onAdded(added);
    this.#queueOf(added.stream).push(added);
  }

  /** The entries for the next frame; none if nothing waits. @param maxFrameBytes of a sealed frame */
  nextBatch(stream: string, maxFrameBytes: number): readonly OutboxEntry[] {
    const queue = this.#queueOf(stream);
    const [first] = queue;
    return first !== undefined && this.#alone.has(first.id) ? [first] : nextBatch(queue, maxFrameBytes);
  }

  sendAlone(entries: readonly OutboxEntry[]): void {
    for (const { id } of entries) this.#alone.add(id);
  }

  /** Replaces entries by changed ones. */
  async keep(stream: string, changed: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]> {
    await this.#outbox.update(changed);
    const queue = this.#queueOf(stream);
    for (const entry of changed) {
      const at = queue.findIndex(({ id }) => id === entry.id);
      if (at !== -1) queue[at] = entry;
    }
    return changed;
  }

  async remove(stream: string, entries: readonly OutboxEntry[]): Promise<void> {
    const ids = entries.map(({ id }) => id);
    await this.#outbox.remove(ids);
    const queue = this.#queueOf(stream);
    queue.splice(0, queue.length, ...queue.filter(({ id }) => !ids.includes(id)));
    for (const id of ids) this.#alone.delete(id);
  }

  #queueOf(stream: string): OutboxEntry[] {
    const queue = this.#queues.get(stream) ?? [];
    this.#queues.set(stream, queue);
    return queue;
  }
}
