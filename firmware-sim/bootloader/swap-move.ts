import type { FlashArea } from '../flash/flash-area.ts';
import type { Slots } from '../flash/layout.ts';
import { PAGE_BYTES } from '../flash/nor-flash.ts';
import {
  countStatus,
  eraseTrailer,
  MAX_SECTORS,
  readSwapRecord,
  readTrailer,
  type SwapType,
  TRAILER_SECTORS,
  writeFlag,
  writeMagic,
  writeStatus,
  writeSwapInfo,
  writeSwapSize,
} from './trailer.ts';

/** A sector is copied in pieces of MCUboot's copy buffer. */
const COPY_BYTES = 1024;

/** The primary needs one free sector to move up, and both need their trailer (facts sheet, G3: 737,280 bytes). */
export function largestImageForMove(slot: FlashArea): number {
  return (slot.sectors - 1 - TRAILER_SECTORS) * PAGE_BYTES;
}

/**
 * Swap using move: the primary image moves up by one sector, from the top; then, from the bottom, each sector of the
 * secondary comes down and the moved one goes across. Every step is recorded in the primary's trailer, in the order
 * that the reference traces show, so that a reset in between is taken up again.
 */
export function startSwap({ primary, secondary }: Slots, type: Exclude<SwapType, 'none'>, sizeBytes: number): void {
  if (type === 'revert') {
    // A revert that is cut off before it really began must begin again: as a permanent swap it does.
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
  continueSwap({ primary, secondary }, sizeBytes);
}

/** Whether a swap was begun and not finished (facts sheet, F6). */
export function interruptedSwap({ primary, secondary }: Slots): ReturnType<typeof readSwapRecord> {
  const trailer = readTrailer(primary);
  const isUnfinished = trailer.magic === 'good' && trailer.copyDone === 'unset';
  return isUnfinished && readTrailer(secondary).magic !== 'good' ? readSwapRecord(primary) : undefined;
}

/** Goes on where the swap status says, and marks the copy as done. */
export function continueSwap({ primary, secondary }: Slots, sizeBytes: number): void {
  const sectors = Math.ceil(sizeBytes / PAGE_BYTES);
  for (let step = countStatus(primary, 0, sectors); step < sectors; step += 1) {
    const from = sectors - 1 - step;
    copySector(primary, from, primary, from + 1);
    writeStatus(primary, step, 1);
  }
  for (let step = countStatus(primary, MAX_SECTORS, 2 * sectors); step < 2 * sectors; step += 1) {
    const sector = Math.floor(step / 2);
    if (step % 2 === 0) copySector(secondary, sector, primary, sector);
    else copySector(primary, sector + 1, secondary, sector);
    writeStatus(primary, MAX_SECTORS + step, 1 + (step % 2));
  }
  writeFlag(primary, 'copyDone');
}

function copySector(from: FlashArea, fromSector: number, to: FlashArea, toSector: number): void {
  to.eraseSector(toSector);
  for (let done = 0; done < PAGE_BYTES; done += COPY_BYTES) {
    to.write(toSector * PAGE_BYTES + done, from.read(fromSector * PAGE_BYTES + done, COPY_BYTES));
  }
}
