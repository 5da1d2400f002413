import type { FlashArea } from '../flash/flash-area.ts';
import { PAGE_BYTES } from '../flash/nor-flash.ts';

/** MCUboot's `BOOT_MAX_IMG_SECTORS` of this product: 182 pages a slot. */
export const MAX_SECTORS = 182;
const STATUS_ENTRY_BYTES = 4;
/** The swap status keeps three entries per sector (facts sheet, F1). */
const STATUS_BYTES = MAX_SECTORS * 3 * STATUS_ENTRY_BYTES;
const FIELDS_BYTES = 48;
export const TRAILER_BYTES = STATUS_BYTES + FIELDS_BYTES;
export const TRAILER_SECTORS = Math.ceil(TRAILER_BYTES / PAGE_BYTES);

/** The 16 bytes that say "this trailer counts". */
export const TRAILER_MAGIC = Uint8Array.from(Buffer.from('77c295f360d2ef7f3552500f2cb67980', 'hex'));

/** Distance of each field from the end of the slot. */
const FIELD = { magic: 16, imageOk: 24, copyDone: 32, swapInfo: 40, swapSize: 48 } as const;

export const SWAP_TYPE = { none: 1, test: 2, permanent: 3, revert: 4 } as const;
export type SwapType = keyof typeof SWAP_TYPE;

export type MagicState = 'good' | 'unset' | 'bad';
/** A flag is set (0x01), unset (erased), or neither, which counts as neither. */
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

/** The swap that a primary trailer records; undefined when it records none that can be. */
export function readSwapRecord(area: FlashArea): { readonly type: SwapType; readonly sizeBytes: number } | undefined {
  const info = area.read(area.sizeBytes - FIELD.swapInfo, 1)[0] ?? 0xff;
  const type = (['test', 'permanent', 'revert'] as const).find((name) => SWAP_TYPE[name] === (info & 0x0f));
  const size = area.read(area.sizeBytes - FIELD.swapSize, 4);
  const sizeBytes = new DataView(size.buffer, size.byteOffset).getUint32(0, true);
  return type === undefined || sizeBytes > area.sizeBytes ? undefined : { type, sizeBytes };
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

/** Entry `index` of the swap status, counted from its lowest address. */
export function writeStatus(area: FlashArea, index: number, value: number): void {
  area.write(statusOffset(area, index), Uint8Array.of(value));
}

/** How many entries in a row are written, from `first` on. */
export function countStatus(area: FlashArea, first: number, most: number): number {
  for (let count = 0; count < most; count += 1) {
    if (area.isErased(statusOffset(area, first + count), 1)) return count;
  }
  return most;
}

function statusOffset(area: FlashArea, index: number): number {
  return area.sizeBytes - TRAILER_BYTES + index * STATUS_ENTRY_BYTES;
}

function magicState(bytes: Uint8Array): MagicState {
  if (bytes.every((byte) => byte === 0xff)) return 'unset';
  return bytes.every((byte, i) => byte === TRAILER_MAGIC[i]) ? 'good' : 'bad';
}

function flagState(bytes: Uint8Array): FlagState {
  if (bytes[0] === 0x01) return 'set';
  return bytes[0] === 0xff ? 'unset' : 'bad';
}
