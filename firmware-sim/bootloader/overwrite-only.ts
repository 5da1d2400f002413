import { PAGE_BYTES } from '../flash/nor-flash.ts';
import { copyRegion, eraseSectors } from './copy-region.ts';
import { eraseTrailer, FLAGS_BYTES, writeMagic } from './trailer.ts';
import type { UpgradeMode } from './upgrade-mode.ts';

/**
 * Overwrite only, in MCUboot's fast variant: the new image replaces the old one, without rollback. The secondary keeps
 * its image and mark until the primary is complete, so that a reset in between starts over (facts sheet, F6).
 */
export const overwriteOnly: UpgradeMode = {
  name: 'overwrite',
  number: 2,

  largestImage: (slot) => slot.sizeBytes - FLAGS_BYTES,

  unfinished: () => undefined,

  install({ primary, secondary }, _type, sizes) {
    eraseSectors(primary, 0, Math.ceil(sizes.secondary / PAGE_BYTES));
    eraseTrailer(primary);
    copyRegion({ area: secondary, offset: 0 }, { area: primary, offset: 0 }, sizes.secondary);
    writeMagic(primary);
    secondary.eraseSector(0);
    eraseTrailer(secondary);
  },
};
