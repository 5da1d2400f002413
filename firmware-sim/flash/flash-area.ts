import { FlashError, type NorFlash, PAGE_BYTES } from './nor-flash.ts';

/** A named region of a flash chip, as in MCUboot's flash map; offsets count from its start. */
export class FlashArea {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #flash: NorFlash;
  readonly #base: number;

  constructor(name: string, flash: NorFlash, base: number, sizeBytes: number) {
    if (base % PAGE_BYTES !== 0 || sizeBytes % PAGE_BYTES !== 0)
      throw new FlashError(`${name} is not aligned to pages`);
    this.name = name;
    this.sizeBytes = sizeBytes;
    this.#flash = flash;
    this.#base = base;
  }

  get writeBlockBytes(): number {
    return this.#flash.writeBlockBytes;
  }

  get sectors(): number {
    return this.sizeBytes / PAGE_BYTES;
  }

  read(offset: number, length: number): Uint8Array {
    this.#requireInside(offset, length);
    return this.#flash.read(this.#base + offset, length);
  }

  /** Writes any number of bytes, padded to the chip's write block with 0xFF, which changes nothing. */
  write(offset: number, bytes: Uint8Array): void {
    this.#requireInside(offset, bytes.byteLength);
    const block = this.#flash.writeBlockBytes;
    const padded = new Uint8Array(Math.ceil(bytes.byteLength / block) * block).fill(0xff);
    padded.set(bytes);
    this.#flash.write(this.#base + offset, padded);
  }

  eraseSector(sector: number): void {
    this.#requireInside(sector * PAGE_BYTES, PAGE_BYTES);
    this.#flash.erasePage(this.#base + sector * PAGE_BYTES);
  }

  eraseAll(): void {
    for (let sector = 0; sector < this.sectors; sector += 1) this.eraseSector(sector);
  }

  isErased(offset: number, length: number): boolean {
    this.#requireInside(offset, length);
    return this.#flash.isErased(this.#base + offset, length);
  }

  #requireInside(offset: number, length: number): void {
    if (offset < 0 || offset + length > this.sizeBytes) {
      throw new FlashError(`${this.name}: ${offset}+${length} is outside its ${this.sizeBytes} bytes`);
    }
  }
}
