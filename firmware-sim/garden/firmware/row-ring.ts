/** Rows of equal length; a new one takes the place of the oldest once the ring is full. */
export class RowRing {
  readonly depth: number;
  readonly rowBytes: number;
  #bytes: Uint8Array;
  #first = 0;
  #length = 0;

  constructor(depth: number, rowBytes: number) {
    this.depth = depth;
    this.rowBytes = rowBytes;
    // Memory for a full ring would be wasted on devices that are seldom read.
    this.#bytes = new Uint8Array(Math.min(depth, 32) * rowBytes);
  }

  get length(): number {
    return this.#length;
  }

  push(row: Uint8Array): void {
    if (row.byteLength !== this.rowBytes)
      throw new RangeError(`a row has ${this.rowBytes} bytes, not ${row.byteLength}`);
    if (this.#length === this.depth) {
      this.#first = (this.#first + 1) % this.depth;
      this.#length -= 1;
    }
    const at = ((this.#first + this.#length) % this.depth) * this.rowBytes;
    if (at >= this.#bytes.byteLength) this.#grow();
    this.#bytes.set(row, at);
    this.#length += 1;
  }

  /** The row at that place, 0 being the oldest. Valid until the next change. */
  at(index: number): Uint8Array {
    if (index < 0 || index >= this.#length) throw new RangeError(`there is no row ${index}`);
    const at = ((this.#first + index) % this.depth) * this.rowBytes;
    return this.#bytes.subarray(at, at + this.rowBytes);
  }

  /** The first four bytes of a row: its epoch, in seconds. */
  epochAt(index: number): number {
    const row = this.at(index);
    return new DataView(row.buffer, row.byteOffset).getUint32(0, true);
  }

  clear(): void {
    this.#first = 0;
    this.#length = 0;
  }

  /** A copy of its rows, oldest first. */
  rows(): Uint8Array[] {
    return Array.from({ length: this.#length }, (_, index) => this.at(index).slice());
  }

  #grow(): void {
    const grown = new Uint8Array(Math.min(this.depth * this.rowBytes, this.#bytes.byteLength * 4));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
