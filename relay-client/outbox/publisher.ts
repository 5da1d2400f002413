import { type Clock, pause } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { Link } from '../session/link.ts';
import { RefusedRequest } from '../session/requests.ts';
import { Answers, type AnswersOptions } from './answers.ts';
import { type Caller, Callers } from './callers.ts';
import { Numbering } from './numbering.ts';
import type { Outbox, OutboxEntry } from './outbox.ts';
import { Queues } from './queues.ts';

interface PublisherOptions extends AnswersOptions {
  readonly outbox: Outbox;
  readonly clock: Clock;
}

const RETRY_MS = 1_000;

/** Publishes what is in the outbox: each stream in order, a frame at a time, again until there is an answer. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #queues: Queues;
  readonly #callers = new Callers();
  readonly #numbering: Numbering;
  readonly #answers: Answers;
  readonly #busy = new Set<string>();
  readonly #closing = new AbortController();
  #link: { readonly link: Link; readonly maxFrameBytes: number } | undefined;
  #adding: Promise<unknown>;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#queues = new Queues(options.outbox);
    this.#numbering = new Numbering(this.#queues);
    this.#answers = new Answers(options, this.#queues, this.#numbering, this.#callers);
    this.#adding = this.#load();
  }

  /** Resolves when the event is safe in the outbox. The caller's `done` settles with the outcome. */
  async add(entry: Omit<OutboxEntry, 'id' | 'sent'>, caller: Caller): Promise<void> {
    // One after the other: the order of the calls is the order in the log.
    const adding = this.#adding.then(async () => {
      await this.#queues.add(entry, ({ id }) => this.#callers.add(id, caller));
      this.#pump(entry.stream);
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
    for (const stream of this.#queues.streams) this.#pump(stream);
  }

  offline(): void {
    this.#link = undefined;
  }

  /** Rejects whatever still waits; the outbox keeps what it has. */
  close(error: RelayError): void {
    this.#link = undefined;
    this.#closing.abort();
    this.#callers.rejectAll(error);
  }

  async #load(): Promise<void> {
    try {
      await this.#queues.load();
    } catch (cause) {
      this.#options.onError(new RelayError('store', 'The outbox could not be read.', { cause }));
    }
    for (const stream of this.#queues.streams) this.#pump(stream);
  }

  #pump(stream: string): void {
    if (this.#busy.has(stream)) return;
    this.#busy.add(stream);
    void this.#work(stream);
  }

  async #work(stream: string): Promise<void> {
    while (this.#link?.link.isOpen) {
      const { link, maxFrameBytes } = this.#link;
      const batch = this.#queues.nextBatch(stream, maxFrameBytes);
      if (batch.length === 0) break;
      try {
        await this.#send(link, stream, await this.#numbering.number(stream, batch, this.#options.now()));
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
      await this.#answers.published(stream, batch, answer);
    } catch (error) {
      if (!(error instanceof RefusedRequest)) throw error;
      await this.#answers.refused(stream, batch, error);
    }
  }
}
