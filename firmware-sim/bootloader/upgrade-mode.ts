import type { FlashArea } from '../flash/flash-area.ts';
import type { FlashMap } from '../flash/layout.ts';
import type { SwapType } from './trailer.ts';

/** How a bootloader is asked to install the secondary's image. */
export type InstallType = Exclude<SwapType, 'none'>;

/** Bytes of the images, from header to last TLV; 0 for a slot without one. */
export interface ImageSizes {
  readonly primary: number;
  readonly secondary: number;
}

/** An installation interrupted by a reset. */
export interface Unfinished {
  readonly type: InstallType;
  /** Continues where it was interrupted. */
  finish(): void;
}

/** How a bootloader moves the secondary's image into the primary slot (facts sheet, F6). */
export interface UpgradeMode {
  readonly name: 'move' | 'scratch' | 'overwrite';
  /** MCUmgr's number for this mode (facts sheet, B3). */
  readonly number: number;
  /** Size in bytes of the largest image that this mode can install in the slot (facts sheet, G3). */
  largestImage(slot: FlashArea): number;
  unfinished(flash: FlashMap): Unfinished | undefined;
  install(flash: FlashMap, type: InstallType, sizes: ImageSizes): void;
}
