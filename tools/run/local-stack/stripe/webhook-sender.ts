import { setTimeout as delay } from 'node:timers/promises';
import Stripe from 'stripe';
import * as z from 'zod';
import { eventObject } from './objects.ts';
import type { StoredEvent } from './state.ts';

/** Faults of deliveries, until changed. */
export const DeliveryFaults = z.strictObject({
  /** Sends nothing; events in the meantime are lost. */
  drop: z.boolean().optional(),
  /** Sends every event this many times. */
  copies: z.number().int().min(1).max(10).optional(),
  /** Collects this many events, then sends them newest first. */
  reorder: z.number().int().min(2).max(100).optional(),
  delayMs: z.number().int().min(0).max(60_000).optional(),
});
export type DeliveryFaults = z.output<typeof DeliveryFaults>;

export interface Delivery {
  readonly eventId: string;
  readonly type: string;
  attempts: number;
  /** Status of the last response; 0 if there was none. */
  lastStatus: number | undefined;
  state: 'waiting' | 'delivered' | 'given up' | 'dropped';
}

export interface SignedEvent {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const REQUEST_MS = 30_000;
/** Stripe retries for three days; here the pauses are short enough to watch. */
const RETRY_AFTER_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 60_000] as const;
const MOST_KEPT = 200;

/** Sends events to the API like Stripe: signed, at least once, and again until they are accepted. */
export class WebhookSender {
  readonly #secret: () => string;
  readonly #abort = new AbortController();
  readonly #deliveries: Delivery[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #target: string | undefined;
  #faults: DeliveryFaults = {};
  #gathered: (() => void)[] = [];

  constructor(secret: () => string) {
    this.#secret = secret;
  }

  /** Sets the address for events from now on; earlier events have no receiver. */
  deliverTo(url: string | undefined): void {
    this.#target = url;
  }

  setFaults(faults: DeliveryFaults): void {
    this.#faults = faults;
    if (faults.reorder === undefined) this.#release();
  }

  /** The latest deliveries, oldest first. */
  get deliveries(): readonly Delivery[] {
    return this.#deliveries;
  }

  send(event: StoredEvent): void {
    const target = this.#target;
    if (target === undefined) return;
    const { drop = false, copies = 1, reorder } = this.#faults;
    for (let copy = 0; copy < copies; copy += 1) {
      const delivery: Delivery = {
        eventId: event.id,
        type: event.type,
        attempts: 0,
        lastStatus: undefined,
        state: 'waiting',
      };
      this.#deliveries.push(delivery);
      if (this.#deliveries.length > MOST_KEPT) this.#deliveries.shift();
      if (drop) {
        delivery.state = 'dropped';
      } else if (reorder === undefined) {
        this.#start(delivery, event, target);
      } else {
        this.#gathered.push(() => this.#start(delivery, event, target));
        if (this.#gathered.length >= reorder) this.#release();
      }
    }
  }

  /** Returns an event as it is sent, to deliver it manually. */
  sign(event: StoredEvent): SignedEvent {
    const body = JSON.stringify(eventObject(event));
    // Signed with the real time, regardless of the event's own: Stripe's test clocks work the same way.
    const timestamp = Math.floor(Date.now() / 1000);
    const signature = Stripe.webhooks.generateTestHeaderString({ payload: body, secret: this.#secret(), timestamp });
    return { body, headers: { 'Content-Type': 'application/json', 'Stripe-Signature': signature } };
  }

  /** Waits until all deliveries are finished. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.allSettled(this.#underWay);
  }

  #release(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const start of gathered.reverse()) start();
  }

  #start(delivery: Delivery, event: StoredEvent, target: string): void {
    const work = this.#deliver(delivery, event, target).finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #deliver(delivery: Delivery, event: StoredEvent, target: string): Promise<void> {
    const { signal } = this.#abort;
    try {
      if (this.#faults.delayMs !== undefined) await delay(this.#faults.delayMs, undefined, { signal });
      for (;;) {
        delivery.lastStatus = await this.#post(event, target);
        const pause = RETRY_AFTER_MS[delivery.attempts];
        delivery.attempts += 1;
        if (delivery.lastStatus >= 200 && delivery.lastStatus < 300) {
          delivery.state = 'delivered';
          return;
        }
        if (pause === undefined) break;
        await delay(pause, undefined, { signal });
      }
      delivery.state = 'given up';
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #post(event: StoredEvent, target: string): Promise<number> {
    const { body, headers } = this.sign(event);
    try {
      const signal = AbortSignal.any([this.#abort.signal, AbortSignal.timeout(REQUEST_MS)]);
      const answer = await fetch(target, { method: 'POST', body, headers, redirect: 'manual', signal });
      await answer.arrayBuffer();
      return answer.status;
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      return 0;
    }
  }
}
