import type { FlashArea } from '../flash/flash-area.ts';
import type { FlashMap } from '../flash/layout.ts';
import { PAGE_BYTES } from '../flash/nor-flash.ts';
import { copyRegion } from './copy-region.ts';
import {
  countStatus,
  eraseTrailer,
  MAX_SECTORS,
  readSwapRecord,
  readTrailer,
  statusStart,
  TRAILER_SECTORS,
  writeFlag,
  writeMagic,
  writeStatus,
  writeSwapInfo,
  writeSwapSize,
} from './trailer.ts';
import type { ImageSizes, InstallType, UpgradeMode } from './upgrade-mode.ts';

/**
 * Swap using move, the recommended mode for the product. First the primary image moves up by one sector, starting at
 * the top. Then, starting at the bottom, each sector of the secondary is copied down and the moved one across. The
 * primary's trailer records every step in the order of the reference traces, so that a swap resumes after a reset.
 */
export const swapUsingMove: UpgradeMode = {
  name: 'move',
  number: 3,

  /** The primary needs one free sector for the move, and both slots need their trailer. */
  largestImage: (slot) => (slot.sectors - 1 - TRAILER_SECTORS) * PAGE_BYTES,

  unfinished(flash) {
    const { primary, secondary } = flash;
    const trailer = readTrailer(primary);
    if (trailer.magic !== 'good' || trailer.copyDone !== 'unset') return undefined;
    if (readTrailer(secondary).magic === 'good') return undefined;
    const record = readSwapRecord(primary, primary.sizeBytes);
    return record && { type: record.type, finish: () => proceed(flash, record.sizeBytes) };
  },

  install(flash, type, sizes) {
    begin(flash, type, sizes);
    proceed(flash, Math.max(sizes.primary, sizes.secondary));
  },
};

function begin({ primary, secondary }: FlashMap, type: InstallType, sizes: ImageSizes): void {
  const sizeBytes = Math.max(sizes.primary, sizes.secondary);
  if (type === 'revert') {
    // A revert that is interrupted before its first step must start over. As a permanent swap it does.
    eraseTrailer(secondary);
    writeFlag(secondary, 'imageOk');
    writeSwapSize(secondary, sizeBytes);
    writeMagic(secondary);
  }
  eraseTrailer(primary);
  writeSwapInfo(primary, type);
  if (type !== 'test') writeFlag(primary, 'imageOk');
  writeSwapSize(primary, sizeBytes);
  writeMagic(primary);
  eraseTrailer(secondary);
}

/** Continues from the recorded swap status and marks the copy as done. */
function proceed({ primary, secondary }: FlashMap, sizeBytes: number): void {
  const sectors = Math.ceil(sizeBytes / PAGE_BYTES);
  const start = statusStart(primary);
  for (let step = countStatus(primary, start, 0, sectors); step < sectors; step += 1) {
    const from = sectors - 1 - step;
    copySector(primary, from, primary, from + 1);
    writeStatus(primary, start, step, 1);
  }
  for (let step = countStatus(primary, start, MAX_SECTORS, 2 * sectors); step < 2 * sectors; step += 1) {
    const sector = Math.floor(step / 2);
    if (step % 2 === 0) copySector(secondary, sector, primary, sector);
    else copySector(primary, sector + 1, secondary, sector);
    writeStatus(primary, start, MAX_SECTORS + step, 1 + (step % 2));
  }
  writeFlag(primary, 'copyDone');
}

function copySector(from: FlashArea, fromSector: number, to: FlashArea, toSector: number): void {
  to.eraseSector(toSector);
  copyRegion({ area: from, offset: fromSector * PAGE_BYTES }, { area: to, offset: toSector * PAGE_BYTES }, PAGE_BYTES);
}
