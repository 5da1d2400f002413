import { type FlashTiming, writeMs } from './flash-timing.ts';
import type { PagePool } from './page-pool.ts';
import { PowerCutError, type PowerSupply } from './power-supply.ts';

/** Smallest erase unit of both chips (facts sheet, G1). */
export const PAGE_BYTES = 4096;
const ERASED = 0xff;

/** The program did something that the chip does not allow. On hardware the driver returns an error. */
export class FlashError extends Error {
  override readonly name = 'FlashError';
}

export type FlashOperation =
  | { readonly kind: 'erase'; readonly flash: string; readonly offset: number }
  | { readonly kind: 'write'; readonly flash: string; readonly offset: number; readonly bytes: Uint8Array };

export interface NorFlashOptions {
  readonly name: string;
  readonly sizeBytes: number;
  /** Writes must start and end on a multiple of this: 4 inside the nRF52840, 1 with Zephyr's SPI NOR driver. */
  readonly writeBlockBytes: number;
  /** Called before every write and erase. */
  readonly onOperation?: (operation: FlashOperation) => void;
  /** Without it, operations take no time. */
  readonly timing?: FlashTiming;
  /** Without it, the power never fails. */
  readonly power?: PowerSupply;
  /** Pages shared with other chips. Without it, this chip keeps its own. */
  readonly pool?: PagePool;
}

/** Erase counts by page. Only the part of a large chip that was ever erased takes memory. */
class WearCounters {
  #counts = new Uint16Array(0);

  count(page: number): void {
    if (page >= this.#counts.length) {
      const grown = new Uint16Array(Math.ceil((page + 1) / 64) * 64);
      grown.set(this.#counts);
      this.#counts = grown;
    }
    this.#counts[page] = this.of(page) + 1;
  }

  of(page: number): number {
    return this.#counts[page] ?? 0;
  }
}

/**
 * NOR flash: an erase sets a page to 0xFF, a write can only clear bits. Empty pages take no memory, which makes a 16 MB
 * chip cheap to simulate, and pages with equal content are shared between chips.
 */
export class NorFlash {
  readonly name: string;
  readonly sizeBytes: number;
  readonly writeBlockBytes: number;
  /** By page number. For thousands of chips, an array takes a fifth of a map's memory. */
  readonly #pages: (Uint8Array | undefined)[] = [];
  readonly #wear = new WearCounters();
  readonly #options: NorFlashOptions;
  #busyMs = 0;

  constructor(options: NorFlashOptions) {
    if (options.sizeBytes % PAGE_BYTES !== 0) throw new FlashError('the size is not a multiple of a page');
    this.name = options.name;
    this.sizeBytes = options.sizeBytes;
    this.writeBlockBytes = options.writeBlockBytes;
    this.#options = options;
  }

  read(offset: number, length: number): Uint8Array {
    this.#requireInside(offset, length);
    const result = new Uint8Array(length).fill(ERASED);
    for (let done = 0; done < length; ) {
      const [page, start] = place(offset + done);
      const count = Math.min(PAGE_BYTES - start, length - done);
      const content = this.#pages[page];
      if (content !== undefined) result.set(content.subarray(start, start + count), done);
      done += count;
    }
    return result;
  }

  isErased(offset: number, length: number): boolean {
    this.#requireInside(offset, length);
    for (let done = 0; done < length; ) {
      const [page, start] = place(offset + done);
      const count = Math.min(PAGE_BYTES - start, length - done);
      const content = this.#pages[page];
      if (content?.subarray(start, start + count).some((byte) => byte !== ERASED) === true) return false;
      done += count;
    }
    return true;
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#requireInside(offset, bytes.byteLength);
    if (offset % this.writeBlockBytes !== 0 || bytes.byteLength % this.writeBlockBytes !== 0) {
      throw new FlashError(`${this.name}: a write at ${offset} of ${bytes.byteLength} bytes is not aligned`);
    }
    const isTorn = this.#begin({ kind: 'write', flash: this.name, offset, bytes });
    this.#program(offset, isTorn ? bytes.subarray(0, bytes.byteLength >> 1) : bytes);
    if (isTorn) throw new PowerCutError(`${this.name}: cut off in the middle of a write at ${offset}`);
    if (this.#options.timing !== undefined) {
      this.#busyMs += writeMs(this.#options.timing, offset, bytes.byteLength);
    }
  }

  erasePage(offset: number): void {
    this.#requireInside(offset, PAGE_BYTES);
    if (offset % PAGE_BYTES !== 0) throw new FlashError(`${this.name}: ${offset} is not the start of a page`);
    const isTorn = this.#begin({ kind: 'erase', flash: this.name, offset });
    const [page] = place(offset);
    this.#wear.count(page);
    const content = this.#pages[page];
    // A page that was never written needs no entry.
    if (content !== undefined) this.#pages[page] = undefined;
    if (isTorn) {
      if (content !== undefined) this.#pages[page] = content.slice().fill(ERASED, 0, PAGE_BYTES / 2);
      throw new PowerCutError(`${this.name}: cut off in the middle of an erase at ${offset}`);
    }
    this.#busyMs += this.#options.timing?.erasePageMs ?? 0;
  }

  /** How often the page at that offset was erased. */
  wearOf(offset: number): number {
    return this.#wear.of(place(offset)[0]);
  }

  /** Milliseconds spent on writes and erases since the last call. */
  takeBusyMs(): number {
    const busyMs = this.#busyMs;
    this.#busyMs = 0;
    return busyMs;
  }

  /** Moves all pages to the pool, to be called while no write is imminent. */
  settle(): void {
    const { pool } = this.#options;
    if (pool === undefined) return;
    this.#pages.forEach((content, page) => {
      if (content !== undefined) this.#pages[page] = pool.share(content);
    });
  }

  /** @returns whether the power fails in the middle of the operation */
  #begin(operation: FlashOperation): boolean {
    const spent = this.#options.power?.spend() ?? 'whole';
    if (spent === 'none') throw new PowerCutError(`${this.name}: no power`);
    this.#options.onOperation?.(operation);
    return spent === 'half';
  }

  #program(offset: number, bytes: Uint8Array): void {
    const { pool } = this.#options;
    for (let done = 0; done < bytes.byteLength; ) {
      const [page, start] = place(offset + done);
      const count = Math.min(PAGE_BYTES - start, bytes.byteLength - done);
      const content = this.#writable(page);
      for (let i = 0; i < count; i += 1) {
        content[start + i] = (content[start + i] ?? ERASED) & (bytes[done + i] ?? ERASED);
      }
      // Images are written front to back: a page whose last byte is written is full.
      const isFull = start + count === PAGE_BYTES && pool !== undefined;
      this.#pages[page] = isFull ? pool.share(content) : content;
      done += count;
    }
  }

  #writable(page: number): Uint8Array {
    const content = this.#pages[page];
    if (content === undefined) return new Uint8Array(PAGE_BYTES).fill(ERASED);
    return this.#options.pool?.isShared(content) === true ? content.slice() : content;
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
