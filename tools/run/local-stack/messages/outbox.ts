/** Something that reached a person, or would have. */
export interface SentMessage {
  /** From 1, in the order of arrival. */
  readonly number: number;
  readonly channel: 'email' | 'web_push' | 'mobile_push';
  /** A mailbox, a local browser, or a phone's token. */
  readonly to: string;
  readonly title: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** A mail's headers, a push's header fields and payload: whatever else came with it. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** A developer looks at the latest; a load test must not fill the memory. */
const MOST_KEPT = 500;

/** All that was sent, the latest of it kept. */
export class Outbox {
  readonly #messages: SentMessage[] = [];
  readonly #now: () => number;
  #count = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(message: Omit<SentMessage, 'number' | 'at'>): void {
    this.#count += 1;
    this.#messages.push({ ...message, number: this.#count, at: this.#now() });
    if (this.#messages.length > MOST_KEPT) this.#messages.shift();
  }

  /** Oldest first. */
  get messages(): readonly SentMessage[] {
    return this.#messages;
  }

  clear(): void {
    this.#messages.length = 0;
  }
}
