import type { Json, NewEvent, Published, RelayEvent } from '@autowatering/relay-protocol';
import { type Clock, pause } from '../clock.ts';
import { ConflictError, RelayError } from '../errors.ts';
import type { Link } from '../session/link.ts';
import { RefusedRequest } from '../session/requests.ts';
import { nextBatch } from './batch.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';

/** Somebody else was faster. */
export interface Conflict {
  readonly stream: string;
  readonly mine: NewEvent;
  /** Null if the event that won is gone by now. */
  readonly winner: RelayEvent | null;
  readonly seq: number;
}

/** What to publish instead, on top of the winner. */
export interface Merged {
  readonly payload: Json;
  readonly type?: string;
}

/** Merges an event with the one that was published first; undefined gives it up. */
export type Merge = (conflict: Conflict) => Merged | undefined | Promise<Merged | undefined>;

/** Where a published event is in its stream's log. */
export interface Publication {
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  readonly event_id: string;
}

interface PublisherOptions {
  readonly outbox: Outbox;
  readonly peerId: string;
  readonly clock: Clock;
  /** Milliseconds since 1970 as the server has it. */
  now(): number;
  /** The server sent its time: ours is wrong. */
  correct(serverTime: number): void;
  readonly merge: Merge | undefined;
  onPublished(publication: Publication, event: RelayEvent): void;
  onFailed(entry: OutboxEntry, error: RelayError): void;
  onError(error: RelayError): void;
}

/** Sent times may be off by five minutes: what was made before that, without a connection, is sent now. */
const SENT_AT_GOOD_MS = 4 * 60_000;
const RETRY_MS = 1_000;

interface Waiting {
  resolve(publication: Publication): void;
  reject(error: RelayError): void;
}

/** Publishes what is in the outbox: each stream in order, a frame at a time, again until there is an answer. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #queues = new Map<string, OutboxEntry[]>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #merges = new Map<number, Merge>();
  /** Entries whose frame was refused as a whole: each is sent alone, to find which one it was. */
  readonly #alone = new Set<number>();
  /** The next client_seq of each stream, as far as known. */
  readonly #next = new Map<string, number>();
  readonly #busy = new Set<string>();
  readonly #closing = new AbortController();
  #link: { readonly link: Link; readonly maxFrameBytes: number } | undefined;
  #adding: Promise<unknown>;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#adding = this.#load();
  }

  /** Resolves when the event is safe in the outbox. `done` settles with the outcome. */
  async add(
    entry: Omit<OutboxEntry, 'id' | 'sent'>,
    { merge, done }: { readonly merge?: Merge | undefined; readonly done?: Waiting },
  ): Promise<void> {
    // One after the other: the order of the calls is the order in the log.
    const adding = this.#adding.then(async () => {
      const added = await this.#options.outbox.add(entry);
      if (merge !== undefined) this.#merges.set(added.id, merge);
      if (done !== undefined) this.#waiting.set(added.id, done);
      this.#queueOf(added.stream).push(added);
      this.#pump(added.stream);
    });
    this.#adding = adding.catch(() => {});
    try {
      await adding;
    } catch (cause) {
      throw new RelayError('store', 'The outbox could not keep the event.', { cause });
    }
  }

  online(link: Link, maxFrameBytes: number): void {
    this.#link = { link, maxFrameBytes };
    for (const stream of this.#queues.keys()) this.#pump(stream);
  }

  offline(): void {
    this.#link = undefined;
  }

  /** Rejects whatever still waits; the outbox keeps what it has. */
  close(error: RelayError): void {
    this.#link = undefined;
    this.#closing.abort();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  async #load(): Promise<void> {
    try {
      for (const entry of await this.#options.outbox.all()) this.#queueOf(entry.stream).push(entry);
    } catch (cause) {
      this.#options.onError(new RelayError('store', 'The outbox could not be read.', { cause }));
    }
    for (const stream of this.#queues.keys()) this.#pump(stream);
  }

  #queueOf(stream: string): OutboxEntry[] {
    const queue = this.#queues.get(stream) ?? [];
    this.#queues.set(stream, queue);
    return queue;
  }

  #pump(stream: string): void {
    if (this.#busy.has(stream)) return;
    this.#busy.add(stream);
    void this.#work(stream);
  }

  async #work(stream: string): Promise<void> {
    const queue = this.#queueOf(stream);
    while (this.#link?.link.isOpen) {
      const { link, maxFrameBytes } = this.#link;
      const [first] = queue;
      if (first === undefined) break;
      const batch = this.#alone.has(first.id) ? [first] : nextBatch(queue, maxFrameBytes);
      try {
        await this.#send(link, stream, await this.#numbered(stream, batch));
      } catch (error) {
        const wait = error instanceof RelayError ? error.retryAfter : undefined;
        if (!(error instanceof RelayError)) {
          this.#options.onError(new RelayError('store', 'The outbox could not be written.', { cause: error }));
        }
        if (wait !== undefined || link.isOpen) {
          await pause(this.#options.clock, (wait ?? 0) * 1000 || RETRY_MS, this.#closing.signal);
        }
      }
    }
    // In the same step as the last check of the queue, so that nothing added meanwhile is missed.
    this.#busy.delete(stream);
  }

  /** Gives numbers to what has none, and keeps them before anything is sent. */
  async #numbered(stream: string, batch: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]> {
    if (batch[0]?.sent !== undefined) return batch;
    const first = this.#next.get(stream) ?? 1;
    const now = this.#options.now();
    return this.#keep(
      stream,
      batch.map((entry, index) => {
        const isFresh = Math.abs(now - entry.event.sent_at) < SENT_AT_GOOD_MS;
        const event = isFresh ? entry.event : { ...entry.event, sent_at: now };
        return { ...entry, event, sent: { clientSeq: first + index, batch: first } };
      }),
    );
  }

  async #send(link: Link, stream: string, batch: readonly OutboxEntry[]): Promise<void> {
    const [first] = batch;
    if (first?.sent === undefined) return;
    const { batch: client_seq } = first.sent;
    const events = batch.map(({ event }) => event);
    const condition = first.ifSeq === undefined ? {} : { if_seq: first.ifSeq };
    try {
      const answer = await link.request('publish', (id) => ({
        type: 'publish',
        id,
        stream,
        client_seq,
        events,
        ...condition,
      }));
      await this.#published(stream, batch, answer);
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      await this.#refused(stream, batch, error);
    }
  }

  async #published(stream: string, batch: readonly OutboxEntry[], answer: Published): Promise<void> {
    const [first] = batch;
    const isOurs =
      answer.events.length === batch.length &&
      batch.every(({ event }, index) => answer.events[index]?.event_id === event.event_id);
    // The number was used for something else, before this outbox began: the server repeated that answer.
    if (!isOurs) return this.#renumber(stream, batch, (first?.sent?.batch ?? 1) + answer.events.length);
    await this.#remove(stream, batch);
    this.#next.set(stream, (first?.sent?.batch ?? 0) + batch.length);
    for (const [index, entry] of batch.entries()) {
      const seq = answer.events[index]?.seq ?? 0;
      await this.#advance(stream, entry, seq);
      this.#tell(stream, entry, { epoch: answer.epoch, seq, time: answer.time });
    }
  }

  #tell(stream: string, entry: OutboxEntry, at: { epoch: string; seq: number; time: number }): void {
    const { ttl_seconds, ...event } = entry.event;
    const { epoch, seq, time } = at;
    const publication = { stream, epoch, seq, event_id: event.event_id };
    this.#options.onPublished(publication, {
      ...event,
      seq,
      peer_id: this.#options.peerId,
      client_seq: entry.sent?.clientSeq ?? 0,
      received_at: time,
      ...(ttl_seconds === undefined ? {} : { expires_at: time + ttl_seconds * 1000 }),
    });
    this.#waiting.get(entry.id)?.resolve(publication);
    this.#forget(entry.id);
  }

  /** Later edits with the same `ifSeq` were made knowing this event, so they now build on it. */
  async #advance(stream: string, { ifSeq, event }: OutboxEntry, seq: number): Promise<void> {
    if (ifSeq === undefined) return;
    const behind = this.#queueOf(stream).filter((other) => other.ifSeq === ifSeq && other.event.key === event.key);
    if (behind.length > 0) {
      await this.#keep(
        stream,
        behind.map((other) => ({ ...other, ifSeq: seq })),
      );
    }
  }

  async #refused(stream: string, batch: readonly OutboxEntry[], error: RefusedRequest): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const { code, expected, event, seq, time } = error.frame;
    if (code === 'client_seq_expected' && expected !== undefined) return this.#renumber(stream, batch, expected);
    if (code === 'clock_skew') return this.#redate(stream, batch, time);
    if (code === 'conflict') return this.#conflict(stream, first, event ?? null, seq ?? event?.seq ?? 0);
    if (code === 'rate_limited' || code === 'unavailable' || code === 'out_of_turn') throw error;
    if (batch.length > 1) {
      for (const { id } of batch) this.#alone.add(id);
      await this.#keep(
        stream,
        batch.map(({ sent, ...entry }) => entry),
      );
      this.#next.set(stream, first.sent?.batch ?? 1);
      return;
    }
    await this.#fail(stream, first, error);
  }

  async #conflict(stream: string, entry: OutboxEntry, winner: RelayEvent | null, seq: number): Promise<void> {
    const merge = this.#merges.get(entry.id) ?? this.#options.merge;
    let merged: Merged | undefined;
    try {
      merged = await merge?.({ stream, mine: entry.event, winner, seq });
    } catch (cause) {
      this.#options.onError(new RelayError('handler', 'The merge of a conflict threw.', { cause }));
    }
    if (merged === undefined) return this.#fail(stream, entry, new ConflictError(winner, seq));
    await this.#keep(stream, [{ ...entry, event: { ...entry.event, ...merged }, ifSeq: seq }]);
  }

  async #fail(stream: string, entry: OutboxEntry, error: RelayError): Promise<void> {
    await this.#remove(stream, [entry]);
    // A refused event used no number.
    if (entry.sent !== undefined) this.#next.set(stream, entry.sent.clientSeq);
    this.#options.onFailed(entry, error);
    this.#waiting.get(entry.id)?.reject(error);
    this.#forget(entry.id);
  }

  async #redate(stream: string, batch: readonly OutboxEntry[], serverTime: number | undefined): Promise<void> {
    if (serverTime !== undefined) this.#options.correct(serverTime);
    const sent_at = this.#options.now();
    await this.#keep(
      stream,
      batch.map((entry) => ({ ...entry, event: { ...entry.event, sent_at } })),
    );
  }

  async #renumber(stream: string, batch: readonly OutboxEntry[], next: number): Promise<void> {
    this.#next.set(stream, next);
    const sent = (index: number) => ({ clientSeq: next + index, batch: next });
    await this.#keep(
      stream,
      batch.map((entry, index) => ({ ...entry, sent: sent(index) })),
    );
  }

  async #keep(stream: string, changed: readonly OutboxEntry[]): Promise<readonly OutboxEntry[]> {
    await this.#options.outbox.update(changed);
    const queue = this.#queueOf(stream);
    for (const entry of changed) {
      const at = queue.findIndex(({ id }) => id === entry.id);
      if (at !== -1) queue[at] = entry;
    }
    return changed;
  }

  async #remove(stream: string, entries: readonly OutboxEntry[]): Promise<void> {
    const ids = entries.map(({ id }) => id);
    await this.#options.outbox.remove(ids);
    const queue = this.#queueOf(stream);
    queue.splice(0, queue.length, ...queue.filter(({ id }) => !ids.includes(id)));
  }

  #forget(id: number): void {
    this.#waiting.delete(id);
    this.#merges.delete(id);
    this.#alone.delete(id);
  }
}
