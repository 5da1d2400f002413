import { decodeSmpHeader, SMP_HEADER_BYTES } from '../smp/header.ts';

/**
 * Reassembles packets by the header's length, the only sign of a packet's end (facts sheet, D2). An invalid fragment
 * discards the packet silently, because write-without-response reports no error to the sender.
 */
export class PacketReassembler {
  readonly #largestPacket: number;
  #parts: Uint8Array[] = [];
  #missing = 0;

  constructor(largestPacket: number) {
    this.#largestPacket = largestPacket;
  }

  /** Returns the packet that this fragment completes. */
  push(fragment: Uint8Array): Uint8Array | undefined {
    if (this.#parts.length === 0 && !this.#begin(fragment)) return undefined;
    if (fragment.byteLength > this.#missing) {
      this.reset();
      return undefined;
    }
    this.#parts.push(fragment);
    this.#missing -= fragment.byteLength;
    if (this.#missing > 0) return undefined;
    const packet = Buffer.concat(this.#parts);
    this.reset();
    return packet;
  }

  reset(): void {
    this.#parts = [];
    this.#missing = 0;
  }

  #begin(fragment: Uint8Array): boolean {
    const header = decodeSmpHeader(fragment);
    if (header === undefined) return false;
    this.#missing = SMP_HEADER_BYTES + header.length;
    return this.#missing <= this.#largestPacket;
  }
}

/** Cuts a packet into pieces of at most `size` bytes. */
export function fragments(packet: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < packet.byteLength; at += size) pieces.push(packet.subarray(at, at + size));
  return pieces;
}
