import { MAX_REPLAY_EVENTS, type RelayEvent, type Reset } from '@autowatering/relay-protocol';
import { type Clock, pause } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { Link } from '../session/link.ts';
import { RefusedRequest } from '../session/requests.ts';
import type { Delivery } from './delivery.ts';
import type { Beginning } from './handler.ts';
import type { Position } from './positions.ts';

/** Events of one stream that overtook others are waited for so long before they are asked for. */
const GAP_MS = 300;
/** Events kept after a gap. More are asked for again when it is closed. */
const MAX_HELD = 1_000;
const RETRY_MS = 1_000;

interface ReaderOptions {
  readonly stream: string;
  readonly from: Beginning;
  readonly position: Position | undefined;
  readonly delivery: Delivery;
  readonly clock: Clock;
  onError(error: RelayError): void;
}

/** Makes one stream's log out of what arrives: each event once, in order, and what is missing is asked for. */
export class Reader {
  readonly #options: ReaderOptions;
  #epoch: string | undefined;
  /** The last event that was delivered; undefined until the beginning is known. */
  #seq: number | undefined;
  /** The newest event that is known to exist. */
  #head = 0;
  /** The epoch may be another: the server is asked. */
  #isDoubtful = false;
  /** The application has received something, or has a position: a reset concerns it. */
  #hasBegun: boolean;
  readonly #held = new Map<number, RelayEvent>();
  #link: Link | undefined;
  #isFilling = false;
  #isSubscribing = false;
  #cancelGap: (() => void) | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#epoch = options.position?.epoch;
    this.#seq = options.position?.seq;
    this.#hasBegun = options.position !== undefined;
  }

  /** The place to subscribe from. */
  get place(): { readonly stream: string; readonly epoch?: string; readonly after?: number } {
    const { stream } = this.#options;
    if (this.#epoch === undefined || this.#seq === undefined) return { stream };
    return { stream, epoch: this.#epoch, after: this.#seq };
  }

  /** A session begins: pages of what was missed follow, and end with `subscribed`. */
  online(link: Link, now: { readonly epoch: string; readonly head: number } | undefined): void {
    this.#link = link;
    this.#isSubscribing = true;
    if (now === undefined) {
      // The stream does not exist yet: everything in it will be new.
      this.#seq ??= 0;
    } else if (this.#epoch === undefined) {
      this.#begin(now);
    } else {
      this.head(now.epoch, now.head);
    }
  }

  subscribed(): void {
    this.#isSubscribing = false;
    this.#look(0);
  }

  offline(): void {
    this.#link = undefined;
    this.#cancelGap?.();
  }

  /** An event arrived, maybe again, maybe before others. */
  offer(epoch: string, event: RelayEvent): void {
    if (!this.#isIn(epoch)) this.#look();
    if (this.#epoch !== epoch || this.#seq === undefined || event.seq <= this.#seq) return;
    this.#head = Math.max(this.#head, event.seq);
    if (this.#held.size < MAX_HELD) this.#held.set(event.seq, event);
    if (!this.#isFilling) this.#drain();
    this.#look();
  }

  /** The stream's newest event has this seq. */
  head(epoch: string, head: number): void {
    if (this.#isIn(epoch)) this.#head = Math.max(this.#head, head);
    this.#look();
  }

  /** The server says that our position is gone; a replay will get the details. */
  doubt(): void {
    this.#isDoubtful = true;
    this.#look();
  }

  #begin({ epoch, head }: { readonly epoch: string; readonly head: number }): void {
    this.#epoch = epoch;
    this.#head = head;
    const { from } = this.#options;
    if (this.#seq === undefined && from === 'now') this.#seq = head;
    else if (from === 'start') this.#seq ??= 0;
    if (this.#seq === undefined) this.#look();
  }

  #isIn(epoch: string): boolean {
    if (this.#epoch === undefined) this.#begin({ epoch, head: 0 });
    if (this.#epoch === epoch) return true;
    this.#isDoubtful = true;
    return false;
  }

  #drain(): void {
    if (this.#seq === undefined || this.#epoch === undefined) return;
    for (let next = this.#held.get(this.#seq + 1); next !== undefined; next = this.#held.get(this.#seq + 1)) {
      this.#deliver(next, this.#epoch);
    }
  }

  #deliver(event: RelayEvent, epoch: string): void {
    this.#held.delete(event.seq);
    if (event.seq <= (this.#seq ?? 0)) return;
    this.#seq = event.seq;
    this.#hasBegun = true;
    this.#options.delivery.event(event, epoch);
  }

  /** Whether something is to be asked for. */
  get #isBehind(): boolean {
    return this.#epoch !== undefined && (this.#isDoubtful || this.#seq === undefined || this.#head > this.#seq);
  }

  #look(patience = GAP_MS): void {
    if (!this.#isBehind || this.#isFilling || this.#isSubscribing || this.#link === undefined) return;
    this.#cancelGap?.();
    this.#cancelGap = this.#options.clock.after(patience, () => {
      if (this.#isBehind && !this.#isFilling) void this.#fill();
    });
  }

  async #fill(): Promise<void> {
    this.#isFilling = true;
    while (this.#isBehind && this.#link?.isOpen === true) {
      try {
        await this.#replay(this.#link);
      } catch (error) {
        await this.#failed(error);
      }
    }
    this.#isFilling = false;
    this.#drain();
  }

  async #failed(error: unknown): Promise<void> {
    const { stream, clock, onError } = this.#options;
    const known = error instanceof RelayError ? error : new RelayError('lost', 'A replay failed.', { cause: error });
    if (known instanceof RefusedRequest && known.code === 'not_found') {
      // Deleted: it begins anew with another epoch if somebody publishes to it again.
      this.#isDoubtful = false;
      this.#head = this.#seq ?? 0;
      this.#seq ??= 0;
      return;
    }
    if (known.code !== 'lost')
      onError(new RelayError(known.code, `Reading ${stream}: ${known.message}`, { cause: known }));
    if (this.#link?.isOpen) await pause(clock, (known.retryAfter ?? 0) * 1000 || RETRY_MS);
  }

  /** Reads on from the last event, page by page. */
  async #replay(link: Link): Promise<void> {
    if (this.#seq === undefined) return this.#snapshot(link);
    const { stream, delivery } = this.#options;
    const [epoch, after] = [this.#epoch ?? '', this.#seq];
    const until = this.#head;
    this.#isDoubtful = false;
    let continuation: string | undefined;
    do {
      const further = continuation === undefined ? {} : { continuation };
      const page = await link.request('replay', (id) => ({
        type: 'replay',
        id,
        stream,
        epoch,
        after,
        limit: MAX_REPLAY_EVENTS,
        ...further,
      }));
      if (page.type === 'reset') return this.#reset(link, page);
      for (const event of page.events) this.#deliver(event, epoch);
      await delivery.idle();
      continuation = page.continuation;
    } while (continuation !== undefined);
    this.#reached(until, epoch);
  }

  /** All up to this seq has been read; what is still missing has expired. */
  #reached(until: number, epoch: string): void {
    const held = [...this.#held.keys()].filter((seq) => seq <= until).sort((a, b) => a - b);
    for (const seq of held) {
      const event = this.#held.get(seq);
      if (event !== undefined) this.#deliver(event, epoch);
    }
    if (until > (this.#seq ?? 0)) {
      this.#seq = until;
      this.#options.delivery.reached({ epoch, seq: until });
    }
    this.#drain();
  }

  async #reset(link: Link, { epoch, head, oldest }: Reset): Promise<void> {
    const { stream, from, delivery } = this.#options;
    if (this.#hasBegun) delivery.reset({ stream, epoch, head });
    this.#hasBegun = false;
    this.#held.clear();
    this.#epoch = epoch;
    this.#head = head;
    this.#seq = from === 'start' ? Math.max(oldest - 1, 0) : from === 'now' ? head : undefined;
    if (this.#seq === undefined) await this.#snapshot(link);
    else delivery.reached({ epoch, seq: this.#seq });
  }

  async #snapshot(link: Link): Promise<void> {
    const { stream, delivery } = this.#options;
    const events: RelayEvent[] = [];
    let position: Position | undefined;
    let continuation: string | undefined;
    do {
      const further = continuation === undefined ? {} : { continuation };
      const page = await link.request('snapshot', (id) => ({ type: 'snapshot', id, stream, ...further }));
      position ??= { epoch: page.epoch, seq: page.head };
      if (page.epoch !== position.epoch) return this.doubt();
      events.push(...page.events);
      continuation = page.continuation;
    } while (continuation !== undefined);
    // An event of a later page may be newer than the first page's head: it comes again in the replay.
    const { epoch, seq } = position;
    this.#epoch = epoch;
    this.#seq = seq;
    this.#head = Math.max(this.#head, seq);
    this.#hasBegun = true;
    delivery.snapshot(
      events.filter((event) => event.seq <= seq).sort((a, b) => a.seq - b.seq),
      position,
    );
  }
}
