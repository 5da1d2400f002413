import type { FlashArea } from '../flash/flash-area.ts';
import { PAGE_BYTES } from '../flash/nor-flash.ts';

/** MCUboot's `BOOT_MAX_IMG_SECTORS` for this product: 182 pages per slot. */
export const MAX_SECTORS = 182;
/** `BOOT_WRITE_SZ`: the larger write block of primary and scratch. */
export const STATUS_ENTRY_BYTES = 4;
/** The swap status has three entries per sector (facts sheet, F1). */
const ENTRIES_PER_SECTOR = 3;
const STATUS_BYTES = MAX_SECTORS * ENTRIES_PER_SECTOR * STATUS_ENTRY_BYTES;
const FIELDS_BYTES = 48;
/** Magic and flags without sizes and status: enough where nothing is swapped. */
export const FLAGS_BYTES = 40;
export const TRAILER_BYTES = STATUS_BYTES + FIELDS_BYTES;
export const TRAILER_SECTORS = Math.ceil(TRAILER_BYTES / PAGE_BYTES);

/** The 16 bytes that mark a trailer as valid. */
const TRAILER_MAGIC = Uint8Array.from(Buffer.from('77c295f360d2ef7f3552500f2cb67980', 'hex'));

/** Distance of each field from the end of the slot. */
const FIELD = { magic: 16, imageOk: 24, copyDone: 32, swapInfo: 40, swapSize: 48 } as const;

const SWAP_TYPE = { none: 1, test: 2, permanent: 3, revert: 4 } as const;
export type SwapType = keyof typeof SWAP_TYPE;

export type MagicState = 'good' | 'unset' | 'bad';
/** A flag is set (0x01), unset (erased), or anything else, which counts as neither. */
export type FlagState = 'set' | 'unset' | 'bad';

export interface Trailer {
  readonly magic: MagicState;
  readonly imageOk: FlagState;
  readonly copyDone: FlagState;
}

export function readTrailer(area: FlashArea): Trailer {
  return {
    magic: magicState(area.read(area.sizeBytes - FIELD.magic, TRAILER_MAGIC.byteLength)),
    imageOk: flagState(area.read(area.sizeBytes - FIELD.imageOk, 1)),
    copyDone: flagState(area.read(area.sizeBytes - FIELD.copyDone, 1)),
  };
}

/** The swap that the trailer of a slot of this size records; undefined if it records none or an impossible one. */
export function readSwapRecord(
  area: FlashArea,
  slotBytes: number,
): { readonly type: Exclude<SwapType, 'none'>; readonly sizeBytes: number } | undefined {
  const info = area.read(area.sizeBytes - FIELD.swapInfo, 1)[0] ?? 0xff;
  const type = (['test', 'permanent', 'revert'] as const).find((name) => SWAP_TYPE[name] === (info & 0x0f));
  const size = area.read(area.sizeBytes - FIELD.swapSize, 4);
  const sizeBytes = new DataView(size.buffer, size.byteOffset).getUint32(0, true);
  return type === undefined || sizeBytes > slotBytes ? undefined : { type, sizeBytes };
}

export function writeMagic(area: FlashArea): void {
  area.write(area.sizeBytes - FIELD.magic, TRAILER_MAGIC);
}

export function writeFlag(area: FlashArea, flag: 'imageOk' | 'copyDone'): void {
  area.write(area.sizeBytes - FIELD[flag], Uint8Array.of(0x01));
}

export function writeSwapInfo(area: FlashArea, type: SwapType): void {
  area.write(area.sizeBytes - FIELD.swapInfo, Uint8Array.of(SWAP_TYPE[type]));
}

export function writeSwapSize(area: FlashArea, sizeBytes: number): void {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, sizeBytes, true);
  area.write(area.sizeBytes - FIELD.swapSize, bytes);
}

export function eraseTrailer(area: FlashArea): void {
  for (let i = TRAILER_SECTORS; i >= 1; i -= 1) area.eraseSector(area.sectors - i);
}

/** Where a slot's swap status starts. */
export function statusStart(area: FlashArea): number {
  return area.sizeBytes - TRAILER_BYTES;
}

/**
 * Where the swap status starts in the scratch area, which has room for one sector's entries. MCUboot uses the area's
 * own write block here (`boot_status_off()`) but writes the entries four bytes apart. On a chip that writes single
 * bytes they overlap the swap size (facts sheet, F8).
 */
export function scratchStatusStart(area: FlashArea): number {
  return area.sizeBytes - FIELDS_BYTES - ENTRIES_PER_SECTOR * area.writeBlockBytes;
}

/** Writes a swap status entry, counted from the lowest address. */
export function writeStatus(area: FlashArea, start: number, index: number, value: number): void {
  area.write(start + index * STATUS_ENTRY_BYTES, Uint8Array.of(value));
}

/** Number of consecutive entries that are written, starting at `first`. */
export function countStatus(area: FlashArea, start: number, first: number, most: number): number {
  for (let count = 0; count < most; count += 1) {
    if (area.isErased(start + (first + count) * STATUS_ENTRY_BYTES, 1)) return count;
  }
  return most;
}

/** Number of entries up to the last written one, ignoring gaps, as MCUboot looks for it. */
export function countWritten(area: FlashArea, start: number, most: number): number {
  for (let first = 0; first < most; first += 1) {
    const written = countStatus(area, start, first, most - first);
    if (written > 0) return first + written;
  }
  return 0;
}

function magicState(bytes: Uint8Array): MagicState {
  if (bytes.every((byte) => byte === 0xff)) return 'unset';
  return bytes.every((byte, i) => byte === TRAILER_MAGIC[i]) ? 'good' : 'bad';
}

function flagState(bytes: Uint8Array): FlagState {
  if (bytes[0] === 0x01) return 'set';
  return bytes[0] === 0xff ? 'unset' : 'bad';
}
