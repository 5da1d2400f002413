import type { FlashArea } from '../flash/flash-area.ts';
import type { FlashMap } from '../flash/layout.ts';
import { overwriteOnly } from './overwrite-only.ts';
import { swapUsingMove } from './swap-move.ts';
import { swapUsingScratch } from './swap-scratch.ts';
import type { SwapType } from './trailer.ts';

/** What is asked of a bootloader when the secondary's image is to be installed. */
export type InstallType = Exclude<SwapType, 'none'>;

/** Bytes of the images, from header to last TLV; 0 for a slot without one. */
export interface ImageSizes {
  readonly primary: number;
  readonly secondary: number;
}

/** An installation that a reset has cut off. */
export interface Unfinished {
  readonly type: InstallType;
  /** Goes on where it was cut off. */
  finish(): void;
}

/** How a bootloader brings the secondary's image into the primary slot (facts sheet, F6). */
export interface UpgradeMode {
  readonly name: 'move' | 'scratch' | 'overwrite';
  /** MCUmgr's number for it (facts sheet, B3). */
  readonly number: number;
  /** Bytes of the largest image that it can install in that slot (facts sheet, G3). */
  largestImage(slot: FlashArea): number;
  unfinished(flash: FlashMap): Unfinished | undefined;
  install(flash: FlashMap, type: InstallType, sizes: ImageSizes): void;
}

/** The three ways a bootloader can be built for. */
export const UPGRADE_MODES = {
  move: swapUsingMove,
  scratch: swapUsingScratch,
  overwrite: overwriteOnly,
} as const satisfies Record<UpgradeMode['name'], UpgradeMode>;
