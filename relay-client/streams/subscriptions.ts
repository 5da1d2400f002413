import type { RelayEvent, ServerFrame, StreamHead } from '@autowatering/relay-protocol';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { Link } from '../session/link.ts';
import { Delivery } from './delivery.ts';
import type { EventHandler, SubscribeOptions } from './handler.ts';
import type { PositionStore } from './positions.ts';
import { Reader } from './reader.ts';

interface SubscriptionsOptions {
  readonly positions: PositionStore;
  readonly clock: Clock;
  onError(error: RelayError): void;
}

interface Wanted {
  readonly handler: EventHandler;
  readonly options: SubscribeOptions;
  /** The server has told all streams that existed when it began: later ones are new from their first event. */
  hasBegun: boolean;
}

interface Active {
  readonly reader: Reader;
  readonly delivery: Delivery;
  readonly wanted: Wanted;
}

const RETRY_MS = 1_000;

/** The streams that the application reads, each by its reader. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #wanted = new Map<string, Wanted>();
  readonly #active = new Map<string, Active>();
  readonly #starting = new Set<string>();
  /** What is known of all streams, read or not. */
  readonly #heads = new Map<string, StreamHead>();
  #link: Link | undefined;
  #isSubscribing = false;
  #isStale = false;

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
  }

  /** @returns what ends it */
  add(stream: string, handler: EventHandler, options: SubscribeOptions): () => void {
    if (this.#wanted.has(stream)) throw new RelayError('malformed', `There is a subscription to ${stream} already.`);
    const wanted = { handler, options, hasBegun: false };
    this.#wanted.set(stream, wanted);
    if (stream !== '*') this.#start(stream, wanted);
    else for (const name of this.#heads.keys()) this.#startIfNew(name);
    this.#subscribe();
    return () => {
      if (this.#wanted.get(stream) !== wanted) return;
      this.#wanted.delete(stream);
      for (const [name, active] of this.#active) if (active.wanted === wanted) this.#stop(name, active);
      this.#subscribe();
    };
  }

  online(link: Link, heads: readonly StreamHead[]): void {
    this.#link = link;
    this.#isSubscribing = false;
    this.#heads.clear();
    for (const head of heads) this.#heads.set(head.stream, head);
    for (const [stream, { reader }] of this.#active) reader.online(link, this.#heads.get(stream));
    for (const { stream } of heads) this.#startIfNew(stream);
    this.#subscribe();
  }

  offline(): void {
    this.#link = undefined;
    this.#isSubscribing = false;
    for (const { reader } of this.#active.values()) reader.offline();
  }

  close(): void {
    this.offline();
    for (const [stream, active] of this.#active) this.#stop(stream, active);
  }

  /** Takes what concerns streams. */
  frame(frame: ServerFrame): void {
    if (frame.type === 'event') this.offer(frame.stream, frame.epoch, frame.event);
    if (frame.type === 'events') for (const event of frame.events) this.offer(frame.stream, frame.epoch, event);
    if (frame.type === 'reset') this.#active.get(frame.stream)?.reader.doubt();
  }

  offer(stream: string, epoch: string, event: RelayEvent): void {
    const known = this.#heads.get(stream);
    if (known?.epoch !== epoch || known.head < event.seq) this.#heads.set(stream, { stream, epoch, head: event.seq });
    this.#startIfNew(stream);
    this.#active.get(stream)?.reader.offer(epoch, event);
  }

  heads(heads: readonly StreamHead[]): void {
    for (const head of heads) {
      this.#heads.set(head.stream, head);
      this.#startIfNew(head.stream);
      this.#active.get(head.stream)?.reader.head(head.epoch, head.head);
    }
  }

  #startIfNew(stream: string): void {
    const everything = this.#wanted.get('*');
    if (everything !== undefined && !this.#active.has(stream)) this.#start(stream, everything);
  }

  #start(stream: string, wanted: Wanted): void {
    if (this.#starting.has(stream)) return;
    this.#starting.add(stream);
    void this.#begin(stream, wanted);
  }

  async #begin(stream: string, wanted: Wanted): Promise<void> {
    const { positions, clock, onError } = this.#options;
    const { onReset } = wanted.options;
    const from = this.#beginningOf(wanted);
    let position: Awaited<ReturnType<PositionStore['load']>>;
    try {
      position = await positions.load(stream);
    } catch (cause) {
      onError(new RelayError('store', `The position in ${stream} could not be read.`, { cause }));
    }
    this.#starting.delete(stream);
    if (![...this.#wanted.values()].includes(wanted)) return;
    const delivery = new Delivery({
      stream,
      handler: wanted.handler,
      onReset,
      positions,
      clock,
      onError,
      ack: ({ epoch, seq }) => this.#link?.send({ type: 'ack', stream, epoch, seq }),
    });
    const reader = new Reader({ stream, from, position, delivery, clock, onError });
    this.#active.set(stream, { reader, delivery, wanted });
    if (this.#link !== undefined) reader.online(this.#link, this.#heads.get(stream));
    this.#subscribe();
  }

  /** `now` leaves out what was there before, not the first event of a stream that comes later. */
  #beginningOf({ options: { from = 'start' }, hasBegun }: Wanted): NonNullable<SubscribeOptions['from']> {
    return from === 'now' && hasBegun ? 'start' : from;
  }

  #stop(stream: string, { reader, delivery }: Active): void {
    reader.offline();
    delivery.stop();
    this.#active.delete(stream);
  }

  /** Tells the server what we read now. */
  #subscribe(): void {
    this.#isStale = true;
    if (!this.#isSubscribing && this.#link !== undefined) void this.#tell(this.#link);
  }

  async #tell(link: Link): Promise<void> {
    this.#isSubscribing = true;
    while (this.#isStale && this.#link === link && link.isOpen) {
      this.#isStale = false;
      // Readers that are still starting are added once they have their position.
      const readers = [...this.#active.values()].map(({ reader }) => reader);
      const streams = this.#wanted.has('*') ? '*' : readers.map(({ place }) => place);
      if (streams.length === 0) break;
      try {
        const answer = await link.request('subscribe', (id) => ({ type: 'subscribe', id, streams }));
        this.heads(answer.streams);
        const everything = this.#wanted.get('*');
        if (everything !== undefined && streams === '*') everything.hasBegun = true;
        for (const reader of readers) reader.subscribed();
      } catch (error) {
        this.#isStale = true;
        await this.#failed(link, error);
      }
    }
    if (this.#link === link) this.#isSubscribing = false;
  }

  async #failed(link: Link, error: unknown): Promise<void> {
    if (!link.isOpen) return;
    const known = error instanceof RelayError ? error : new RelayError('lost', 'Subscribing failed.', { cause: error });
    if (known.code !== 'lost') this.#options.onError(known);
    const ms = (known.retryAfter ?? 0) * 1000 || RETRY_MS;
    await new Promise<void>((resolve) => this.#options.clock.after(ms, resolve));
  }
}
