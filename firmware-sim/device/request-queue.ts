import type { Scheduler } from '../time/scheduler.ts';

/** Whoever asks, on a connection of some kind. */
export interface Requester {
  /** Sends one answer; calls `sent` when its last byte has left: until then its buffer is in use. */
  respond(answer: Uint8Array, sent: () => void): void;
}

export interface RequestQueueOptions {
  /** `MCUMGR_TRANSPORT_NETBUF_SIZE`: a longer request finds no buffer. */
  readonly bufferBytes: number;
  /** `MCUMGR_TRANSPORT_NETBUF_COUNT`: buffers for requests and answers together. */
  readonly bufferCount: number;
  readonly time: Scheduler;
  /** @param hasBuffer whether there is a buffer for the answer */
  readonly handle: (request: Uint8Array, hasBuffer: boolean) => readonly Uint8Array[];
  /** Milliseconds that handling the last request has taken. */
  readonly takeBusyMs: () => number;
}

interface Waiting {
  readonly request: Uint8Array;
  readonly requester: Requester;
}

/**
 * The way of requests through Zephyr's SMP work queue: one at a time, in order, each with its answer on the air before
 * the next begins. A request that finds no free buffer is dropped, and nobody is told; one whose answer finds none is
 * answered so in its own.
 */
export class RequestQueue {
  readonly #options: RequestQueueOptions;
  #waiting: Waiting[] = [];
  /** Who is being served. */
  #current: Requester | undefined;
  #isScheduled = false;
  #isStopped = false;

  constructor(options: RequestQueueOptions) {
    this.#options = options;
  }

  get isIdle(): boolean {
    return this.#current === undefined && this.#waiting.length === 0;
  }

  accept(request: Uint8Array, requester: Requester): void {
    // The request that is being served has a buffer, and its answer another.
    const inUse = this.#waiting.length + (this.#current === undefined ? 0 : 2);
    const isDropped = request.byteLength > this.#options.bufferBytes || inUse >= this.#options.bufferCount;
    if (isDropped || this.#isStopped) return;
    this.#waiting.push({ request, requester });
    if (this.#current === undefined) this.#schedule();
  }

  /** A connection is gone: its requests are removed, and the answer that it waits for is dropped (facts sheet, D2). */
  forget(requester: Requester): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.requester !== requester);
    if (this.#current === requester) this.#next();
  }

  /** The device resets: what waits is lost. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting = [];
  }

  /** The work queue runs when all that came in at once has been put into it. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.time.after(0, () => {
      this.#isScheduled = false;
      if (this.#current === undefined) this.#next();
    });
  }

  #next(): void {
    const next = this.#isStopped ? undefined : this.#waiting.shift();
    this.#current = next?.requester;
    if (next === undefined) return;
    const { handle, takeBusyMs, time, bufferCount } = this.#options;
    const answers = handle(next.request, this.#waiting.length + 1 < bufferCount);
    const busyMs = takeBusyMs();
    if (busyMs === 0) this.#answer(next.requester, answers);
    else time.after(busyMs, () => this.#answer(next.requester, answers));
  }

  #answer(requester: Requester, [first, ...rest]: readonly Uint8Array[]): void {
    if (this.#isStopped || this.#current !== requester) return;
    if (first === undefined) this.#next();
    else requester.respond(first, () => this.#answer(requester, rest));
  }
}
