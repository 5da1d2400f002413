import type { SimulatedDevice } from '../device/simulated-device.ts';
import type { Characteristic } from '../garden/gatt/characteristics.ts';
import type { GattClient } from '../garden/gatt/gatt-client.ts';
import { type Random, seededRandom } from '../time/random.ts';
import { realTime, type Scheduler, sleep } from '../time/scheduler.ts';
import { GattOverRadio } from './gatt-over-radio.ts';
import { fragments, PacketReassembler } from './packet-reassembler.ts';
import { type Direction, GOOD_RADIO, Radio, type RadioOptions } from './radio.ts';
import { LinkLostError, PairingRequiredError, type Transport } from './transport.ts';

export const SMALLEST_MTU = 23;
export const LARGEST_MTU = 498;
/** Writes and notifications carry this much less than the ATT MTU. */
const ATT_OVERHEAD = 3;
const LARGEST_ANSWER = 65_535;
/** From the connection request to the first connection event. */
const CONNECT_MS = 50;

export interface BleLinkOptions {
  /** ATT MTU agreed by both sides, 23 to 498. */
  readonly mtu: number;
  /** The radio conditions. Default: a good phone near the device. */
  readonly radio?: Partial<RadioOptions>;
  /** Permissions of the characteristic: whether only paired phones may write to it. */
  readonly pairing?: 'not_required' | 'required';
  /** Whether the garden's services need an encrypted link, as the product's do: then `pair` first. Default: not. */
  readonly encryption?: 'not_required' | 'required';
  readonly time?: Scheduler;
  /** Draws the packet losses. */
  readonly random?: Random;
}

/** A connection: SMP packets, and the garden's services beside them if the device has a garden. */
export interface BleTransport extends Transport {
  readonly gatt: GattClient | undefined;
}

/** Who connects to a device. A hub listens for phones, and makes room for them. */
export type Central = 'phone' | 'hub';

/**
 * The radio link between one phone and one device: traffic on the characteristic of the SMP service
 * (write-without-response in one direction, notifications in the other, each cut to the MTU), and the garden's services.
 * Allows one connection at a time, which every device reset ends.
 */
export class BleLink {
  readonly #device: SimulatedDevice;
  readonly #options: BleLinkOptions;
  readonly #time: Scheduler;
  readonly #random: Random;
  #connection: BleConnection | undefined;
  #bytesUntilDrop = Number.POSITIVE_INFINITY;
  #answerToLose: Characteristic | undefined;
  #isPaired = false;
  readonly #phoneListeners = new Set<() => void>();

  constructor(device: SimulatedDevice, options: BleLinkOptions) {
    if (options.mtu < SMALLEST_MTU || options.mtu > LARGEST_MTU) {
      throw new RangeError(`the ATT MTU must be ${SMALLEST_MTU} to ${LARGEST_MTU}, not ${options.mtu}`);
    }
    this.#device = device;
    this.#options = options;
    this.#time = options.time ?? realTime;
    this.#random = options.random ?? seededRandom(1);
  }

  /** Loses the connection once, after that many more bytes, in the middle of a fragment. */
  dropAfter(bytes: number): void {
    this.#bytesUntilDrop = bytes;
  }

  /** Loses the connection once, when the device has taken the next write there and before its answer arrives. */
  loseAnswerTo(characteristic: Characteristic): void {
    this.#answerToLose = characteristic;
  }

  /**
   * Calls the listener whenever a phone near the device tries to connect: a hub hears its app advertise that it looks
   * for the device.
   *
   * @returns what ends it
   */
  onPhoneNear(listener: () => void): () => void {
    this.#phoneListeners.add(listener);
    return () => this.#phoneListeners.delete(listener);
  }

  /** Exchanges keys with the device; both sides keep them. */
  pair(): void {
    this.#isPaired = true;
  }

  /**
   * @throws LinkLostError while the device is not advertising, or another phone is connected
   * @throws PairingRequiredError when the device requires pairing and this phone is not paired
   */
  async connect(as: Central = 'phone'): Promise<BleTransport> {
    await sleep(this.#time, CONNECT_MS);
    if (as === 'phone') for (const listener of this.#phoneListeners) listener();
    if (!this.#device.isRunning) throw new LinkLostError('the device does not advertise');
    if (this.#connection?.isOpen) throw new LinkLostError('another phone is connected');
    if (this.#options.pairing === 'required' && !this.#isPaired) {
      // A refused write-without-response goes unnoticed. Enabling notifications is what fails (facts sheet, D1).
      throw new PairingRequiredError('pair with the device first: it refuses notifications to unpaired phones');
    }
    const options = { ...GOOD_RADIO, ...this.#options.radio };
    const connection = new BleConnection(this.#device, {
      ...{ writeBytes: this.#options.mtu - ATT_OVERHEAD, time: this.#time },
      isEncrypted: () => this.#options.encryption !== 'required' || this.#isPaired,
      makeRadio: (onLost) => new Radio(options, this.#time, this.#random, onLost),
      passes: (bytes) => this.#passes(bytes),
      onTaken: (characteristic) => {
        if (this.#answerToLose !== characteristic) return;
        this.#answerToLose = undefined;
        this.dropAfter(0);
      },
    });
    this.#connection = connection;
    const stopListening = this.#device.onReset(() => connection.close());
    connection.onClose(stopListening);
    return connection;
  }

  #passes(bytes: number): boolean {
    this.#bytesUntilDrop -= bytes;
    if (this.#bytesUntilDrop >= 0) return true;
    this.#bytesUntilDrop = Number.POSITIVE_INFINITY;
    return false;
  }
}

interface ConnectionOptions {
  readonly writeBytes: number;
  readonly time: Scheduler;
  readonly isEncrypted: () => boolean;
  readonly makeRadio: (onLost: () => void) => Radio;
  readonly passes: (bytes: number) => boolean;
  readonly onTaken: (characteristic: Characteristic) => void;
}

class BleConnection implements BleTransport {
  readonly writeBytes: number;
  readonly largestPacket = LARGEST_ANSWER;
  readonly #gatt: GattOverRadio | undefined;
  readonly #device: SimulatedDevice;
  readonly #radio: Radio;
  readonly #passes: (bytes: number) => boolean;
  readonly #toDevice: PacketReassembler;
  readonly #toPhone = new PacketReassembler(LARGEST_ANSWER);
  readonly #packetListeners: ((packet: Uint8Array) => void)[] = [];
  readonly #closeListeners: (() => void)[] = [];
  isOpen = true;

  constructor(
    device: SimulatedDevice,
    { writeBytes, makeRadio, passes, onTaken, time, isEncrypted }: ConnectionOptions,
  ) {
    this.#device = device;
    this.writeBytes = writeBytes;
    this.#radio = makeRadio(() => this.close());
    this.#passes = passes;
    this.#toDevice = new PacketReassembler(device.bufferBytes);
    if (device.garden === undefined) return;
    this.#gatt = new GattOverRadio({
      ...{ garden: device.garden, mtu: writeBytes + ATT_OVERHEAD, time, isEncrypted },
      onAir: (direction, bytes, arrive) => this.#onAir(direction, bytes, arrive),
      onTaken,
    });
  }

  get gatt(): GattClient | undefined {
    return this.#gatt;
  }

  send(packet: Uint8Array, sent: () => void): void {
    if (!this.isOpen) throw new LinkLostError('the connection is closed');
    const pieces = fragments(packet, this.writeBytes);
    pieces.forEach((fragment, index) => {
      this.#onAir('to_device', fragment.byteLength, () => {
        if (index === pieces.length - 1) sent();
        // Without reassembly in the firmware, a write that is not a whole packet is ignored.
        const request = this.#device.reassembles ? this.#toDevice.push(fragment) : fragment;
        if (request !== undefined) this.#device.accept(request, this);
      });
    });
  }

  /** Notifies the phone. The buffer is free once the last fragment has left. */
  respond(answer: Uint8Array, sent: () => void): void {
    const pieces = fragments(answer, this.writeBytes);
    pieces.forEach((fragment, index) => {
      this.#onAir('to_phone', fragment.byteLength, () => {
        const packet = this.#toPhone.push(fragment);
        if (packet !== undefined) for (const listener of this.#packetListeners) listener(packet);
        if (index === pieces.length - 1) sent();
      });
    });
  }

  onPacket(listener: (packet: Uint8Array) => void): void {
    this.#packetListeners.push(listener);
  }

  onClose(listener: () => void): void {
    this.#closeListeners.push(listener);
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#radio.close();
    this.#gatt?.close();
    this.#device.forget(this);
    for (const listener of this.#closeListeners) listener();
  }

  /** Data in flight is lost when the connection is. */
  #onAir(direction: Direction, bytes: number, arrive: () => void): void {
    this.#radio.send(direction, bytes, () => {
      if (!this.isOpen) return;
      if (this.#passes(bytes)) arrive();
      else this.close();
    });
  }
}
