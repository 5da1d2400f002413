import type { GattClient } from '../garden/gatt/gatt-client.ts';

/** A connection to a device's garden, and the time that passes meanwhile. */
export interface GardenReach {
  readonly gatt: GattClient;
  /** The clock of whoever is connected, in milliseconds since 1970. */
  now(): number;
  /**
   * Lets time pass: until the answer has come, at most that long.
   *
   * @throws LinkLostError when the connection ends first
   */
  wait(ms: number, answer?: Expected<unknown>): Promise<void>;
}

/** Something that a notification will bring. */
export class Expected<T> {
  #value: T | undefined;
  #listener = () => {};

  get value(): T | undefined {
    return this.#value;
  }

  arrive(value: T): void {
    this.#value = value;
    this.#listener();
  }

  /** Calls the listener at once if it has come already. One listener at a time. */
  onArrival(listener: () => void): void {
    this.#listener = listener;
    if (this.#value !== undefined) listener();
  }
}
