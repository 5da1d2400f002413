import type { RelayEvent } from '@autowatering/relay-protocol';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { EventHandler, StreamReset, SubscribeOptions } from './handler.ts';
import type { Position, PositionStore } from './positions.ts';

/** A position is kept at the latest after so many events. */
const SAVE_EVERY = 50;
const ACK_MS = 2_000;

export interface DeliveryOptions {
  readonly stream: string;
  readonly handler: EventHandler;
  readonly onReset: SubscribeOptions['onReset'];
  readonly positions: PositionStore;
  readonly clock: Clock;
  onError(error: RelayError): void;
  /** Tells the server how far the application has read. */
  ack(position: Position): void;
}

/** Hands events to the application one after the other, and keeps how far it is. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #handled: Promise<void> = Promise.resolve();
  #waiting = 0;
  #unsaved = 0;
  #cancelAck: (() => void) | undefined;
  #isStopped = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  event(event: RelayEvent, epoch: string): void {
    this.#tell(event, epoch, false);
    this.reached({ epoch, seq: event.seq });
  }

  snapshot(events: readonly RelayEvent[], position: Position): void {
    for (const event of events) this.#tell(event, position.epoch, true);
    this.reached(position);
  }

  reset(reset: StreamReset): void {
    this.#next(async () => this.#options.onReset?.(reset));
  }

  /** Everything up to here was delivered, or is gone. */
  reached(position: Position): void {
    this.#next(async () => {
      this.#unsaved += 1;
      if (this.#waiting > 1 && this.#unsaved < SAVE_EVERY) return;
      this.#unsaved = 0;
      await this.#save(position);
    });
  }

  /** Resolves when everything was handled. */
  idle(): Promise<void> {
    return this.#handled;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelAck?.();
  }

  #tell(event: RelayEvent, epoch: string, isSnapshot: boolean): void {
    const { handler, stream } = this.#options;
    this.#next(async () => handler(event, { stream, epoch, isSnapshot }));
  }

  #next(step: () => Promise<void>): void {
    this.#waiting += 1;
    this.#handled = this.#handled.then(async () => {
      try {
        if (!this.#isStopped) await step();
      } catch (cause) {
        this.#options.onError(new RelayError('handler', `The handler of ${this.#options.stream} threw.`, { cause }));
      }
      this.#waiting -= 1;
    });
  }

  async #save(position: Position): Promise<void> {
    const { stream, positions, clock, ack, onError } = this.#options;
    try {
      await positions.save(stream, position);
    } catch (cause) {
      onError(new RelayError('store', `The position in ${stream} could not be kept.`, { cause }));
      return;
    }
    if (this.#isStopped) return;
    this.#cancelAck?.();
    this.#cancelAck = clock.after(ACK_MS, () => ack(position));
  }
}
