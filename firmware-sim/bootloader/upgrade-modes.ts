import { overwriteOnly } from './overwrite-only.ts';
import { swapUsingMove } from './swap-move.ts';
import { swapUsingScratch } from './swap-scratch.ts';
import type { UpgradeMode } from './upgrade-mode.ts';

/** The three modes a bootloader can be built with. */
export const UPGRADE_MODES = {
  move: swapUsingMove,
  scratch: swapUsingScratch,
  overwrite: overwriteOnly,
} as const satisfies Record<UpgradeMode['name'], UpgradeMode>;
