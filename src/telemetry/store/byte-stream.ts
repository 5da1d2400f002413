const MORE = 0x80;
const FIRST_BYTES = 4_096;

/** Bytes under way: numbers of any size up to 2⁵³ take as many bytes as they need (LEB128). */
export class ByteWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;

  /** @param number not negative, whole */
  count(number: number): void {
    let left = number;
    while (left >= MORE) {
      this.byte((left % MORE) | MORE);
      left = Math.floor(left / MORE);
    }
    this.byte(left);
  }

  /** A whole number of either sign; small ones take one byte. */
  signed(number: number): void {
    this.count(number < 0 ? -2 * number - 1 : 2 * number);
  }

  byte(value: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  raw(bytes: Uint8Array): void {
    this.#makeRoom(bytes.byteLength);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #makeRoom(more: number): void {
    if (this.#length + more <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(Math.max(this.#bytes.byteLength * 2, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Reads what a `ByteWriter` wrote. Throws a RangeError where the bytes end too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.byteLength;
  }

  count(): number {
    let number = 0;
    for (let scale = 1; ; scale *= MORE) {
      const byte = this.byte();
      number += (byte % MORE) * scale;
      if (byte < MORE) return number;
    }
  }

  signed(): number {
    const number = this.count();
    return number % 2 === 0 ? number / 2 : -(number + 1) / 2;
  }

  byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError('the bytes end too early');
    this.#at += 1;
    return byte;
  }

  raw(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.byteLength) throw new RangeError('the bytes end too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
