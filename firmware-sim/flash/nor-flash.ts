/** Smallest unit both chips of the product erase (facts sheet, G1). */
export const PAGE_BYTES = 4096;
const ERASED = 0xff;

/** The program did what the chip does not allow; on hardware the driver answers with an error. */
export class FlashError extends Error {
  override readonly name = 'FlashError';
}

export type FlashOperation =
  | { readonly kind: 'erase'; readonly flash: string; readonly offset: number }
  | { readonly kind: 'write'; readonly flash: string; readonly offset: number; readonly bytes: Uint8Array };

export interface NorFlashOptions {
  readonly name: string;
  readonly sizeBytes: number;
  /** Writes must start and end on a multiple of it: 4 inside the nRF52840, 1 on Zephyr's SPI NOR driver. */
  readonly writeBlockBytes: number;
  /** Told of every write and erase, before it happens. */
  readonly onOperation?: (operation: FlashOperation) => void;
}

/**
 * NOR flash: an erase sets a page to 0xFF, a write can only clear bits. Pages that hold nothing take no memory, so
 * that a 16 MB chip is cheap to simulate.
 */
export class NorFlash {
  readonly name: string;
  readonly sizeBytes: number;
  readonly writeBlockBytes: number;
  readonly #pages = new Map<number, Uint8Array>();
  readonly #wear = new Map<number, number>();
  readonly #onOperation: (operation: FlashOperation) => void;

  constructor(options: NorFlashOptions) {
    if (options.sizeBytes % PAGE_BYTES !== 0) throw new FlashError('the size is not a multiple of a page');
    this.name = options.name;
    this.sizeBytes = options.sizeBytes;
    this.writeBlockBytes = options.writeBlockBytes;
    this.#onOperation = options.onOperation ?? (() => {});
  }

  read(offset: number, length: number): Uint8Array {
    this.#requireInside(offset, length);
    const result = new Uint8Array(length).fill(ERASED);
    for (let done = 0; done < length; ) {
      const [page, start] = place(offset + done);
      const count = Math.min(PAGE_BYTES - start, length - done);
      const content = this.#pages.get(page);
      if (content !== undefined) result.set(content.subarray(start, start + count), done);
      done += count;
    }
    return result;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#requireInside(offset, bytes.byteLength);
    if (offset % this.writeBlockBytes !== 0 || bytes.byteLength % this.writeBlockBytes !== 0) {
      throw new FlashError(`${this.name}: a write at ${offset} of ${bytes.byteLength} bytes is not aligned`);
    }
    this.#onOperation({ kind: 'write', flash: this.name, offset, bytes });
    for (let done = 0; done < bytes.byteLength; ) {
      const [page, start] = place(offset + done);
      const count = Math.min(PAGE_BYTES - start, bytes.byteLength - done);
      const content = this.#pages.get(page) ?? new Uint8Array(PAGE_BYTES).fill(ERASED);
      for (let i = 0; i < count; i += 1) {
        content[start + i] = (content[start + i] ?? ERASED) & (bytes[done + i] ?? ERASED);
      }
      this.#pages.set(page, content);
      done += count;
    }
  }

  erasePage(offset: number): void {
    this.#requireInside(offset, PAGE_BYTES);
    if (offset % PAGE_BYTES !== 0) throw new FlashError(`${this.name}: ${offset} is not the start of a page`);
    this.#onOperation({ kind: 'erase', flash: this.name, offset });
    const [page] = place(offset);
    this.#pages.delete(page);
    this.#wear.set(page, (this.#wear.get(page) ?? 0) + 1);
  }

  /** How often the page at that offset was erased. */
  wearOf(offset: number): number {
    return this.#wear.get(place(offset)[0]) ?? 0;
  }

  #requireInside(offset: number, length: number): void {
    if (offset < 0 || length < 0 || offset + length > this.sizeBytes) {
      throw new FlashError(`${this.name}: ${offset}+${length} is outside its ${this.sizeBytes} bytes`);
    }
  }
}

function place(offset: number): readonly [page: number, start: number] {
  return [Math.floor(offset / PAGE_BYTES), offset % PAGE_BYTES];
}
