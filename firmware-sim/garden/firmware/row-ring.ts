/** What a ring needs to know of the structure of its rows. */
interface RowStructure<T> {
  readonly bytes: number;
  writeAt(view: DataView, at: number, values: T): void;
}

export const LAST_EPOCH_S = 2 ** 32 - 1;

/** Rows of one structure, as bytes; a new one takes the place of the oldest once the ring is full. */
export class RowRing<T> {
  readonly depth: number;
  readonly rowBytes: number;
  readonly #structure: RowStructure<T>;
  #view: DataView;
  #bytes: Uint8Array;
  #first = 0;
  #length = 0;
  /** Whether no row is older than the one before it: true unless a clock was lost. */
  #isOrdered = true;

  constructor(depth: number, structure: RowStructure<T>) {
    this.depth = depth;
    this.rowBytes = structure.bytes;
    this.#structure = structure;
    // Memory for a full ring would be wasted on devices that are seldom read.
    this.#bytes = new Uint8Array(Math.min(depth, 32) * structure.bytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  push(values: T): void {
    const at = this.#room();
    this.#structure.writeAt(this.#view, at, values);
    this.#noteOrder();
  }

  /** A copy of the row at that place, 0 being the oldest. */
  at(index: number): Uint8Array {
    const at = this.#offset(index);
    return this.#bytes.slice(at, at + this.rowBytes);
  }

  /** The first four bytes of a row: its epoch, in seconds. */
  epochAt(index: number): number {
    return this.#view.getUint32(this.#offset(index), true);
  }

  u16At(index: number, offset: number): number {
    return this.#view.getUint16(this.#offset(index) + offset, true);
  }

  clear(): void {
    this.#first = 0;
    this.#length = 0;
    this.#isOrdered = true;
  }

  /** A copy of its rows, oldest first. */
  rows(): Uint8Array[] {
    return this.rowsBetween(0, LAST_EPOCH_S);
  }

  /**
   * A copy of those whose first four bytes are in that range, oldest first.
   *
   * @param without so many of the oldest are left out
   */
  rowsBetween(from: number, until: number, which: { readonly without?: number; readonly atMost?: number } = {}) {
    return this.placesBetween(from, until, which).map((index) => this.at(index));
  }

  /** The same, as the places of the rows. */
  placesBetween(from: number, until: number, { without = 0, atMost = this.depth } = {}): number[] {
    const places: number[] = [];
    for (let index = Math.max(without, this.firstSince(from)); index < this.#length; index += 1) {
      const key = this.epochAt(index);
      if (places.length >= atMost || (this.#isOrdered && key > until)) break;
      if (key >= from && key <= until) places.push(index);
    }
    return places;
  }

  /** Where to begin to look for rows since then: all before are older. */
  firstSince(epochS: number): number {
    if (!this.#isOrdered) return 0;
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.epochAt(middle) < epochS) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Takes over the rows of another ring of that structure. */
  copyFrom(other: RowRing<T>): void {
    this.clear();
    for (let index = 0; index < other.length; index += 1) {
      const to = this.#room();
      this.#bytes.set(other.at(index), to);
      this.#noteOrder();
    }
  }

  /** Removes what is older than that, wherever it stands: rows of a lost clock are between others. */
  keepSince(epochS: number): void {
    const kept = this.rowsBetween(epochS, LAST_EPOCH_S);
    this.clear();
    for (const row of kept) {
      const to = this.#room();
      this.#bytes.set(row, to);
      this.#noteOrder();
    }
  }

  /** The newest row is there now. */
  #noteOrder(): void {
    const newest = this.#length - 1;
    if (newest > 0 && this.epochAt(newest) < this.epochAt(newest - 1)) this.#isOrdered = false;
  }

  /** Where the next row goes. */
  #room(): number {
    if (this.#length === this.depth) {
      this.#first = (this.#first + 1) % this.depth;
      this.#length -= 1;
    }
    const at = ((this.#first + this.#length) % this.depth) * this.rowBytes;
    if (at >= this.#view.byteLength) this.#grow();
    this.#length += 1;
    return at;
  }

  #offset(index: number): number {
    if (index < 0 || index >= this.#length) throw new RangeError(`there is no row ${index}`);
    return ((this.#first + index) % this.depth) * this.rowBytes;
  }

  #grow(): void {
    const grown = new Uint8Array(Math.min(this.depth * this.rowBytes, this.#view.byteLength * 4));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
