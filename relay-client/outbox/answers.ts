import type { Published, RelayEvent } from '@autowatering/relay-protocol';
import { ConflictError, RelayError } from '../errors.ts';
import type { RefusedRequest } from '../session/requests.ts';
import type { Callers } from './callers.ts';
import type { Merge, Merged } from './merging.ts';
import type { Numbering } from './numbering.ts';
import type { OutboxEntry } from './outbox.ts';
import { type Publication, publishedEvent } from './publication.ts';
import type { Queues } from './queues.ts';

export interface AnswersOptions {
  readonly peerId: string;
  /** Milliseconds since 1970 as the server has it. */
  now(): number;
  /** The server sent its time: ours is wrong. */
  correct(serverTime: number): void;
  readonly merge: Merge | undefined;
  onPublished(publication: Publication, event: RelayEvent): void;
  onFailed(entry: OutboxEntry, error: RelayError): void;
  onError(error: RelayError): void;
}

/** What the server's answers to publishes mean for the outbox and for who waits. */
export class Answers {
  readonly #options: AnswersOptions;
  readonly #queues: Queues;
  readonly #numbering: Numbering;
  readonly #callers: Callers;

  constructor(options: AnswersOptions, queues: Queues, numbering: Numbering, callers: Callers) {
    this.#options = options;
    this.#queues = queues;
    this.#numbering = numbering;
    this.#callers = callers;
  }

  async published(stream: string, batch: readonly OutboxEntry[], answer: Published): Promise<void> {
    const first = batch[0]?.sent?.batch;
    const isOurs =
      answer.events.length === batch.length &&
      batch.every(({ event }, index) => answer.events[index]?.event_id === event.event_id);
    // The number was used for something else, before this outbox began: the server repeated that answer.
    if (!isOurs) return this.#numbering.renumber(stream, batch, (first ?? 1) + answer.events.length);
    await this.#queues.remove(stream, batch);
    this.#numbering.continueAt(stream, (first ?? 0) + batch.length);
    for (const [index, entry] of batch.entries()) {
      const seq = answer.events[index]?.seq ?? 0;
      await this.#advance(stream, entry, seq);
      const publication = { stream, epoch: answer.epoch, seq, event_id: entry.event.event_id };
      this.#options.onPublished(publication, publishedEvent(entry, this.#options.peerId, seq, answer.time));
      this.#callers.resolve(entry.id, publication);
    }
  }

  /** @throws the error if the same is to be sent again later */
  async refused(stream: string, batch: readonly OutboxEntry[], error: RefusedRequest): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const { code, expected, event, seq, time } = error.frame;
    if (code === 'client_seq_expected' && expected !== undefined) {
      return this.#numbering.renumber(stream, batch, expected);
    }
    if (code === 'clock_skew') return this.#redate(stream, batch, time);
    if (code === 'conflict') return this.#conflict(stream, first, event ?? null, seq ?? event?.seq ?? 0);
    if (code === 'rate_limited' || code === 'unavailable' || code === 'out_of_turn') throw error;
    if (batch.length > 1) {
      this.#queues.sendAlone(batch);
      return this.#numbering.takeBack(stream, batch);
    }
    await this.#fail(stream, first, error);
  }

  /** Later edits with the same `ifSeq` were made knowing this event, so they now build on it. */
  async #advance(stream: string, { ifSeq, event }: OutboxEntry, seq: number): Promise<void> {
    if (ifSeq === undefined) return;
    const behind = this.#queues.of(stream).filter((other) => other.ifSeq === ifSeq && other.event.key === event.key);
    if (behind.length > 0) {
      await this.#queues.keep(
        stream,
        behind.map((other) => ({ ...other, ifSeq: seq })),
      );
    }
  }

  async #conflict(stream: string, entry: OutboxEntry, winner: RelayEvent | null, seq: number): Promise<void> {
    const merge = this.#callers.mergeOf(entry.id) ?? this.#options.merge;
    let merged: Merged | undefined;
    try {
      merged = await merge?.({ stream, mine: entry.event, winner, seq });
    } catch (cause) {
      this.#options.onError(new RelayError('handler', 'The merge of a conflict threw.', { cause }));
    }
    if (merged === undefined) return this.#fail(stream, entry, new ConflictError(winner, seq));
    await this.#queues.keep(stream, [{ ...entry, event: { ...entry.event, ...merged }, ifSeq: seq }]);
  }

  async #fail(stream: string, entry: OutboxEntry, error: RelayError): Promise<void> {
    await this.#queues.remove(stream, [entry]);
    // A refused event used no number.
    if (entry.sent !== undefined) this.#numbering.continueAt(stream, entry.sent.clientSeq);
    this.#options.onFailed(entry, error);
    this.#callers.reject(entry.id, error);
  }

  async #redate(stream: string, batch: readonly OutboxEntry[], serverTime: number | undefined): Promise<void> {
    if (serverTime !== undefined) this.#options.correct(serverTime);
    const sent_at = this.#options.now();
    await this.#queues.keep(
      stream,
      batch.map((entry) => ({ ...entry, event: { ...entry.event, sent_at } })),
    );
  }
}
