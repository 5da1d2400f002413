import type { SimulatedDevice } from '../device/simulated-device.ts';
import { fragments, PacketReassembler } from './packet-reassembler.ts';
import { LinkLostError, type Transport } from './transport.ts';

export const SMALLEST_MTU = 23;
export const LARGEST_MTU = 498;
/** A write or a notification carries this much less than the ATT MTU. */
const ATT_OVERHEAD = 3;
const LARGEST_ANSWER = 65_535;

export interface BleLinkOptions {
  /** ATT MTU that both sides agree on, 23 to 498. */
  readonly mtu: number;
}

/**
 * The radio between one phone and one device: what passes through the SMP characteristic
 * (da2e7828-fbce-4e01-ae9e-261174997c48 of service 8d53dc1d-1db7-4cd3-868b-8a527460aa84; facts sheet, D1).
 * Write-without-response one way, notifications the other, each cut to the MTU; one connection at a time; gone whenever
 * the device resets.
 */
export class BleLink {
  readonly #device: SimulatedDevice;
  readonly #piece: number;
  #connection: BleConnection | undefined;
  #bytesUntilDrop = Number.POSITIVE_INFINITY;

  constructor(device: SimulatedDevice, options: BleLinkOptions) {
    if (options.mtu < SMALLEST_MTU || options.mtu > LARGEST_MTU) {
      throw new RangeError(`the ATT MTU must be ${SMALLEST_MTU} to ${LARGEST_MTU}, not ${options.mtu}`);
    }
    this.#device = device;
    this.#piece = options.mtu - ATT_OVERHEAD;
    device.onReset(() => this.#connection?.close());
  }

  /** Loses the connection once, in the middle of the fragment in which that many more bytes have gone by. */
  dropAfter(bytes: number): void {
    this.#bytesUntilDrop = bytes;
  }

  /** @throws LinkLostError while the device is not advertising, or another phone is connected */
  async connect(): Promise<Transport> {
    if (!this.#device.isRunning) throw new LinkLostError('the device does not advertise');
    if (this.#connection?.isOpen) throw new LinkLostError('another phone is connected');
    const connection = new BleConnection(this.#device, this.#piece, (bytes) => this.#passes(bytes));
    this.#connection = connection;
    return connection;
  }

  #passes(bytes: number): boolean {
    this.#bytesUntilDrop -= bytes;
    if (this.#bytesUntilDrop >= 0) return true;
    this.#bytesUntilDrop = Number.POSITIVE_INFINITY;
    return false;
  }
}

class BleConnection implements Transport {
  readonly largestPacket = LARGEST_ANSWER;
  readonly #device: SimulatedDevice;
  readonly #piece: number;
  readonly #passes: (bytes: number) => boolean;
  readonly #toDevice: PacketReassembler;
  readonly #toPhone = new PacketReassembler(LARGEST_ANSWER);
  readonly #packetListeners: ((packet: Uint8Array) => void)[] = [];
  readonly #closeListeners: (() => void)[] = [];
  isOpen = true;

  constructor(device: SimulatedDevice, piece: number, passes: (bytes: number) => boolean) {
    this.#device = device;
    this.#piece = piece;
    this.#passes = passes;
    this.#toDevice = new PacketReassembler(device.bufferBytes);
  }

  send(packet: Uint8Array): void {
    if (!this.isOpen) throw new LinkLostError('the connection is closed');
    for (const fragment of fragments(packet, this.#piece)) {
      this.#onAir(fragment, (arrived) => {
        const request = this.#toDevice.push(arrived);
        if (request === undefined) return;
        for (const answer of this.#device.receive(request)) this.#notify(answer);
      });
    }
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
    for (const listener of this.#closeListeners) listener();
  }

  #notify(answer: Uint8Array): void {
    for (const fragment of fragments(answer, this.#piece)) {
      this.#onAir(fragment, (arrived) => {
        const packet = this.#toPhone.push(arrived);
        if (packet === undefined) return;
        for (const listener of this.#packetListeners) listener(packet);
      });
    }
  }

  /** What is on its way when the connection goes is lost. */
  #onAir(fragment: Uint8Array, arrive: (fragment: Uint8Array) => void): void {
    setImmediate(() => {
      if (!this.isOpen) return;
      if (this.#passes(fragment.byteLength)) arrive(fragment);
      else this.close();
    });
  }
}
