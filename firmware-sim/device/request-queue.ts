import type { Scheduler } from '../time/scheduler.ts';

/** A client on a connection of any kind. */
export interface Requester {
  /** Sends one answer. Calls `sent` once the last byte has left; until then the answer's buffer is in use. */
  respond(answer: Uint8Array, sent: () => void): void;
}

export interface RequestQueueOptions {
  /** `MCUMGR_TRANSPORT_NETBUF_SIZE`: longer requests find no buffer. */
  readonly bufferBytes: number;
  /** `MCUMGR_TRANSPORT_NETBUF_COUNT`: shared by requests and answers. */
  readonly bufferCount: number;
  readonly time: Scheduler;
  /** @param hasBuffer whether there is a buffer for the answer */
  readonly handle: (request: Uint8Array, hasBuffer: boolean) => readonly Uint8Array[];
  /** Milliseconds spent handling the last request. */
  readonly takeBusyMs: () => number;
}

interface Waiting {
  readonly request: Uint8Array;
  readonly requester: Requester;
}

/**
 * Zephyr's SMP work queue: one request at a time, in order, and each answer is on the air before the next request
 * begins. A request that finds no free buffer is dropped silently. If its answer finds none, the request's own buffer
 * carries the error.
 */
export class RequestQueue {
  readonly #options: RequestQueueOptions;
  #waiting: Waiting[] = [];
  /** The requester being served. */
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
    // The request being served has one buffer, its answer another.
    const inUse = this.#waiting.length + (this.#current === undefined ? 0 : 2);
    const isDropped = request.byteLength > this.#options.bufferBytes || inUse >= this.#options.bufferCount;
    if (isDropped || this.#isStopped) return;
    this.#waiting.push({ request, requester });
    if (this.#current === undefined) this.#schedule();
  }

  /** Removes a lost connection's requests and drops the answer it waits for (facts sheet, D2). */
  forget(requester: Requester): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.requester !== requester);
    if (this.#current === requester) this.#next();
  }

  /** Drops everything that waits, as a reset does. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting = [];
  }

  /** The work queue runs once everything that arrived together is queued. */
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
