import type { Garden } from '../garden/garden.ts';
import { ATT, AttError } from '../garden/gatt/att-error.ts';
import { type Characteristic, isCharacteristic } from '../garden/gatt/characteristics.ts';
import type { GattClient } from '../garden/gatt/gatt-client.ts';
import type { Scheduler, Timer } from '../time/scheduler.ts';
import type { Direction } from './radio.ts';
import { LinkLostError } from './transport.ts';

const ATT_HEADER = 3;
/** A read answers with one byte of header; what is longer is read in several requests. */
const READ_HEADER = 1;
/** ATT error: opcode, request, handle, code. */
const ERROR_BYTES = 5;

export interface GattRadioOptions {
  readonly garden: Garden;
  /** ATT MTU. */
  readonly mtu: number;
  readonly time: Scheduler;
  /** Whether the link is encrypted, or need not be. */
  readonly isEncrypted: () => boolean;
  /** Sends so many bytes; calls back when they have arrived, which they may never do. */
  readonly onAir: (direction: Direction, bytes: number, arrive: () => void) => void;
  /** The device has taken a write; its answer is not sent yet. */
  readonly onTaken?: (characteristic: Characteristic) => void;
}

/** The garden's services over the radio of one connection. While it is open, the garden's time follows the radio's. */
export class GattOverRadio implements GattClient {
  readonly mtu: number;
  readonly #options: GattRadioOptions;
  readonly #listeners = new Map<Characteristic, Set<(bytes: Uint8Array) => void>>();
  readonly #pending = new Set<(reason: Error) => void>();
  #queue: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #isOpen = true;

  constructor(options: GattRadioOptions) {
    const { garden, mtu } = options;
    this.#options = options;
    this.mtu = mtu;
    this.#advance();
    garden.gatt.connect({ mtu, notify: (characteristic, bytes) => this.#notify(characteristic, bytes) });
    this.#follow();
  }

  read(characteristic: Characteristic): Promise<Uint8Array> {
    return this.#ask(ATT_HEADER, () => this.#options.garden.gatt.read(characteristic), characteristic);
  }

  async write(characteristic: Characteristic, bytes: Uint8Array): Promise<void> {
    const work = () => {
      if (bytes.byteLength > this.mtu - ATT_HEADER) throw new AttError(ATT.invalid_length, 'longer than a packet');
      this.#options.garden.gatt.write(characteristic, bytes);
      this.#options.onTaken?.(characteristic);
      return new Uint8Array();
    };
    await this.#ask(ATT_HEADER + Math.min(bytes.byteLength, this.mtu - ATT_HEADER), work, characteristic);
  }

  async subscribe(characteristic: Characteristic, listener: (bytes: Uint8Array) => void): Promise<void> {
    const listeners = this.#listeners.get(characteristic) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(characteristic, listeners);
    await this.#ask(ATT_HEADER + 2, () => this.#configure(characteristic, true), characteristic);
  }

  async unsubscribe(characteristic: Characteristic): Promise<void> {
    this.#listeners.delete(characteristic);
    await this.#ask(ATT_HEADER + 2, () => this.#configure(characteristic, false), characteristic);
  }

  /** The connection is over, for whatever reason. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#timer?.cancel();
    this.#advance();
    this.#options.garden.gatt.disconnect();
    for (const reject of this.#pending) reject(new LinkLostError('the connection was lost'));
    this.#pending.clear();
  }

  #configure(characteristic: Characteristic, isOn: boolean): Uint8Array {
    const { gatt } = this.#options.garden;
    if (isOn) gatt.subscribe(characteristic);
    else gatt.unsubscribe(characteristic);
    return new Uint8Array();
  }

  #ask(bytes: number, work: () => Uint8Array, characteristic: string): Promise<Uint8Array> {
    const asked = this.#queue.then(() => this.#exchange(bytes, work, characteristic));
    // Whoever asked gets the failure; the next request is sent all the same.
    this.#queue = asked.catch(() => {});
    return asked;
  }

  #exchange(bytes: number, work: () => Uint8Array, characteristic: string): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(new LinkLostError('the connection is closed'));
        return;
      }
      this.#pending.add(reject);
      const settle = (end: () => void) => () => {
        this.#pending.delete(reject);
        end();
      };
      this.#options.onAir('to_device', bytes, () => {
        this.#advance();
        try {
          const answer = this.#permitted(characteristic, work);
          this.#send(
            answer.byteLength,
            settle(() => resolve(answer)),
          );
        } catch (error) {
          this.#options.onAir(
            'to_phone',
            ERROR_BYTES,
            settle(() => reject(error)),
          );
          if (!(error instanceof AttError)) reject(error);
        }
        this.#follow();
      });
    });
  }

  #permitted(characteristic: string, work: () => Uint8Array): Uint8Array {
    if (!isCharacteristic(characteristic)) throw new AttError(ATT.not_found, `there is no ${characteristic}`);
    if (!this.#options.isEncrypted()) throw new AttError(ATT.encryption, 'pair with the device first');
    return work();
  }

  /** An answer, and a request more for each further part of a long value. */
  #send(bytes: number, arrived: () => void): void {
    const first = Math.min(bytes, this.mtu - READ_HEADER);
    const rest = bytes - first;
    this.#options.onAir('to_phone', READ_HEADER + first, () => {
      if (rest <= 0) arrived();
      else this.#options.onAir('to_device', ATT_HEADER + 2, () => this.#send(rest, arrived));
    });
  }

  #notify(characteristic: Characteristic, bytes: Uint8Array): void {
    const copy = bytes.slice();
    this.#options.onAir('to_phone', ATT_HEADER + copy.byteLength, () => {
      for (const listener of this.#listeners.get(characteristic) ?? []) listener(copy);
    });
  }

  #advance(): void {
    const { garden, time } = this.#options;
    garden.advanceTo(garden.startsAt + time.now());
  }

  /** Wakes the garden when it next does something by itself. */
  #follow(): void {
    this.#timer?.cancel();
    const { garden, time } = this.#options;
    if (!this.#isOpen || !Number.isFinite(garden.nextAt)) return;
    this.#timer = time.after(Math.max(0, garden.nextAt - (garden.startsAt + time.now())), () => {
      if (!this.#isOpen) return;
      this.#advance();
      this.#follow();
    });
  }
}
