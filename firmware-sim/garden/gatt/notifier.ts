import type { Agenda } from '../agenda.ts';
import { CHARACTERISTICS, type Characteristic } from './characteristics.ts';
import type { GattPeer } from './gatt-server.ts';

const ATT_HEADER = 3;

interface Subscription {
  lastAt: number;
  value: (() => Uint8Array) | undefined;
}

/** Notifies what a phone is subscribed to, no faster than each characteristic may be: the latest value wins. */
export class Notifier {
  readonly #agenda: Agenda;
  readonly #peer: () => GattPeer | undefined;
  readonly #subscriptions = new Map<Characteristic, Subscription>();

  constructor(agenda: Agenda, peer: () => GattPeer | undefined) {
    this.#agenda = agenda;
    this.#peer = peer;
  }

  isSubscribed(characteristic: Characteristic): boolean {
    return this.#subscriptions.has(characteristic);
  }

  subscribe(characteristic: Characteristic): void {
    if (this.isSubscribed(characteristic)) return;
    this.#subscriptions.set(characteristic, { lastAt: Number.NEGATIVE_INFINITY, value: undefined });
  }

  unsubscribe(characteristic: Characteristic): void {
    this.#subscriptions.delete(characteristic);
    this.#agenda.cancel(`notify ${characteristic}`);
  }

  reset(): void {
    for (const characteristic of [...this.#subscriptions.keys()]) this.unsubscribe(characteristic);
  }

  /** Notifies at once, whatever was before. */
  now(characteristic: Characteristic, bytes: Uint8Array): void {
    const subscription = this.#subscriptions.get(characteristic);
    const peer = this.#peer();
    if (subscription === undefined || peer === undefined) return;
    subscription.lastAt = this.#agenda.now;
    // What is longer than a packet is cut without headers (device sheet, §2.8).
    const size = peer.mtu - ATT_HEADER;
    for (let at = 0; at < bytes.byteLength; at += size) peer.notify(characteristic, bytes.subarray(at, at + size));
  }

  /** Notifies as soon as it may. */
  soon(characteristic: Characteristic, value: () => Uint8Array): void {
    const subscription = this.#subscriptions.get(characteristic);
    if (subscription === undefined) return;
    const dueAt = subscription.lastAt + CHARACTERISTICS[characteristic].throttleMs;
    if (dueAt <= this.#agenda.now) {
      this.now(characteristic, value());
      return;
    }
    subscription.value = value;
    const name = `notify ${characteristic}`;
    if (this.#agenda.has(name)) return;
    this.#agenda.plan(name, dueAt, () => {
      if (subscription.value !== undefined) this.now(characteristic, subscription.value());
      subscription.value = undefined;
    });
  }
}
