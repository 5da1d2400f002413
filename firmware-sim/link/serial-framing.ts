/*
 * SMP on a serial console (facts sheet, D4): lines of at most 127 bytes, each a marker and base64, with other output
 * possible between them. The body consists of length, packet and checksum.
 */

const FIRST_LINE = Uint8Array.of(0x06, 0x09);
const NEXT_LINE = Uint8Array.of(0x04, 0x14);
const NEWLINE = 0x0a;
const LONGEST_LINE = 127;
/** Bytes that 124 base64 characters carry. */
const BYTES_PER_LINE = 93;
const LENGTH_BYTES = 2;
const CRC_BYTES = 2;

/** Encodes a packet as lines. */
export function encodeSerial(packet: Uint8Array): Buffer {
  const body = Buffer.alloc(LENGTH_BYTES + packet.byteLength + CRC_BYTES);
  body.writeUInt16BE(packet.byteLength + CRC_BYTES, 0);
  body.set(packet, LENGTH_BYTES);
  body.writeUInt16BE(crc16(packet), body.byteLength - CRC_BYTES);
  const lines: Uint8Array[] = [];
  for (let at = 0; at < body.byteLength; ) {
    const left = body.byteLength - at;
    // The checksum is never split over two lines.
    const count = left === BYTES_PER_LINE + 1 ? BYTES_PER_LINE - 1 : Math.min(left, BYTES_PER_LINE);
    const text = body.subarray(at, at + count).toString('base64');
    lines.push(at === 0 ? FIRST_LINE : NEXT_LINE, Buffer.from(text, 'latin1'), Uint8Array.of(NEWLINE));
    at += count;
  }
  return Buffer.concat(lines);
}

/** Assembles packets from a line's input; skips damaged and unrelated lines. */
export class SerialReader {
  readonly #largestPacket: number;
  readonly #onText: (line: string) => void;
  #line: number[] = [];
  #body: Buffer | undefined;

  /** @param onText is called with each line that is not part of a packet */
  constructor(largestPacket: number, onText: (line: string) => void = () => {}) {
    this.#onText = onText;
    this.#largestPacket = largestPacket;
  }

  /** Returns the packets that these bytes complete. */
  push(bytes: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (const byte of bytes) {
      if (byte !== NEWLINE) {
        // An overlong line stays overlong until it ends.
        if (this.#line.length < LONGEST_LINE) this.#line.push(byte);
        continue;
      }
      const packet = this.#endLine(Buffer.from(this.#line));
      this.#line = [];
      if (packet !== undefined) packets.push(packet);
    }
    return packets;
  }

  #endLine(line: Buffer): Uint8Array | undefined {
    const isFirst = line.subarray(0, 2).equals(FIRST_LINE);
    if (!isFirst && !line.subarray(0, 2).equals(NEXT_LINE)) {
      this.#onText(line.toString('latin1'));
      return undefined;
    }
    if (line.byteLength >= LONGEST_LINE || (!isFirst && this.#body === undefined)) return this.#drop();
    const piece = Buffer.from(line.subarray(2).toString('latin1'), 'base64');
    const body = isFirst ? piece : Buffer.concat([this.#body ?? Buffer.alloc(0), piece]);
    if (body.byteLength < LENGTH_BYTES) return this.#drop();
    const length = body.readUInt16BE(0);
    if (length > this.#largestPacket + CRC_BYTES || body.byteLength > LENGTH_BYTES + length) return this.#drop();
    if (body.byteLength < LENGTH_BYTES + length) {
      this.#body = body;
      return undefined;
    }
    this.#body = undefined;
    const checked = body.subarray(LENGTH_BYTES);
    return length >= CRC_BYTES && crc16(checked) === 0 ? checked.subarray(0, -CRC_BYTES) : undefined;
  }

  #drop(): undefined {
    this.#body = undefined;
  }
}

/** CRC-16/XMODEM: polynomial 0x1021, start 0. Over data followed by its own checksum, it is 0. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = ((crc << 1) ^ (crc & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return crc;
}
