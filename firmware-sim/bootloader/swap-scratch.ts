import type { FlashArea } from '../flash/flash-area.ts';
import type { FlashMap } from '../flash/layout.ts';
import { PAGE_BYTES } from '../flash/nor-flash.ts';
import { copyRegion, eraseSectors } from './copy-region.ts';
import {
  countWritten,
  eraseTrailer,
  readSwapRecord,
  readTrailer,
  STATUS_ENTRY_BYTES,
  scratchStatusStart,
  statusStart,
  TRAILER_BYTES,
  TRAILER_SECTORS,
  writeFlag,
  writeMagic,
  writeStatus,
  writeSwapInfo,
  writeSwapSize,
} from './trailer.ts';
import type { InstallType, UpgradeMode } from './upgrade-mode.ts';

/** Steps per region: secondary to scratch, primary to secondary, scratch to primary. */
const STEPS = 3;

/**
 * Swap using scratch: works from the last used sector to the first, in regions as large as the scratch area, each
 * copied through that area (facts sheet, F6 and F7; order of operations as in the reference traces).
 *
 * When scratch and primary have different write blocks, as with Zephyr's SPI NOR driver next to the nRF52840's flash,
 * MCUboot loses its place if the power fails during the first steps, and the device may not boot again (facts sheet,
 * F8). The simulator reproduces this: such a device must be built with another mode.
 */
export const swapUsingScratch: UpgradeMode = {
  name: 'scratch',
  number: 1,

  /** Everything except the trailer. */
  largestImage: (slot) => slot.sizeBytes - TRAILER_BYTES,

  unfinished(flash) {
    const place = recordedPlace(flash);
    if (place === undefined) return undefined;
    const record = readSwapRecord(place.area, flash.primary.sizeBytes);
    return record && { type: record.type, finish: () => new ScratchSwap(flash, record, place).run() };
  },

  install(flash, type, sizes) {
    const record = { type, sizeBytes: Math.max(sizes.primary, sizes.secondary) };
    new ScratchSwap(flash, record, { isInScratch: false, steps: 0 }).run();
  },
};

interface Place {
  /** Whether the swap is recorded in the scratch area and not yet in the primary. */
  readonly isInScratch: boolean;
  /** Completed steps. */
  readonly steps: number;
}

/**
 * Where an interrupted swap is recorded (facts sheet, F7), and how far it got. A good record in scratch wins even over
 * a finished one in the primary; this was measured (F8), although F7 says otherwise. Only a primary record past the
 * first region is newer: scratch was then being erased and may have lost its data.
 */
function recordedPlace({ primary, scratch }: FlashMap): (Place & { readonly area: FlashArea }) | undefined {
  const trailer = readTrailer(primary);
  const isInPrimary = trailer.magic === 'good' && trailer.copyDone === 'unset';
  const inPrimary = isInPrimary ? countWritten(primary, statusStart(primary), STEPS * primary.sectors) : 0;
  if (readTrailer(scratch).magic === 'good' && inPrimary < STEPS) {
    const steps = countWritten(scratch, scratchStatusStart(scratch), STEPS);
    return { area: scratch, isInScratch: true, steps };
  }
  return isInPrimary ? { area: primary, isInScratch: false, steps: inPrimary } : undefined;
}

class ScratchSwap {
  readonly #flash: FlashMap;
  readonly #type: InstallType;
  readonly #sizeBytes: number;
  readonly #start: Place;

  constructor(flash: FlashMap, record: { readonly type: InstallType; readonly sizeBytes: number }, start: Place) {
    this.#flash = flash;
    this.#type = record.type;
    this.#sizeBytes = record.sizeBytes;
    this.#start = start;
  }

  run(): void {
    const { primary, scratch } = this.#flash;
    // Left by an interruption just before it was due to be erased. The next boot would mistake it for a new record.
    if (!this.#start.isInScratch && readTrailer(scratch).magic === 'good') this.#eraseScratchFromItsEnd();
    let last = Math.ceil(this.#sizeBytes / PAGE_BYTES) - 1;
    for (let region = 0; last >= 0; region += 1) {
      const first = Math.max(0, last + 1 - scratch.sectors);
      const done = Math.min(STEPS, Math.max(0, this.#start.steps - region * STEPS));
      if (done < STEPS) this.#swapRegion(region, first, last, done);
      last = first - 1;
    }
    // Otherwise the next boot would revert the revert. A permanent swap gets the flag from its mark.
    if (this.#type !== 'test' && readTrailer(primary).imageOk === 'unset') writeFlag(primary, 'imageOk');
    writeFlag(primary, 'copyDone');
  }

  #swapRegion(region: number, first: number, last: number, done: number): void {
    const { primary, secondary, scratch } = this.#flash;
    const [offset, sectors] = [first * PAGE_BYTES, last - first + 1];
    const reachesTrailer = last >= primary.sectors - TRAILER_SECTORS;
    const bytes = sectors * PAGE_BYTES - (reachesTrailer ? TRAILER_BYTES : 0);
    // The first region may contain the primary's trailer. The record then stays in scratch until that region is done.
    const isRecordInScratch = region === 0 && reachesTrailer;
    const record = (step: number) => {
      if (isRecordInScratch) writeStatus(scratch, scratchStatusStart(scratch), step, step + 1);
      else writeStatus(primary, statusStart(primary), region * STEPS + step, step + 1);
    };
    if (done < 1) {
      this.#prepareScratch(region === 0, isRecordInScratch);
      copyRegion({ area: secondary, offset }, { area: scratch, offset: 0 }, bytes);
      record(0);
    }
    if (done < 2) {
      if (region === 0 && !isRecordInScratch) eraseTrailer(secondary);
      eraseSectors(secondary, first, sectors);
      copyRegion({ area: primary, offset }, { area: secondary, offset }, bytes);
      record(1);
    }
    eraseSectors(primary, first, sectors);
    copyRegion({ area: scratch, offset: 0 }, { area: primary, offset }, bytes);
    if (isRecordInScratch) this.#bringRecordHome();
    writeStatus(primary, statusStart(primary), region * STEPS + 2, STEPS);
    if (isRecordInScratch) this.#eraseScratchFromItsEnd();
  }

  /**
   * Before the first region the swap is recorded in scratch, because the primary's trailer is erased next. An existing
   * record is kept: MCUboot erases and rewrites it, and forgets a revert that is interrupted right then for the second
   * time.
   */
  #prepareScratch(isFirstRegion: boolean, isRecordInScratch: boolean): void {
    const { primary, scratch } = this.#flash;
    if (!isFirstRegion || !this.#start.isInScratch) {
      scratch.eraseAll();
      if (isFirstRegion) this.#writeRecord(scratch);
    }
    if (!isFirstRegion || isRecordInScratch) return;
    eraseTrailer(primary);
    this.#writeRecord(primary);
    scratch.eraseAll();
  }

  /** Erases the outdated record before the data it describes. */
  #eraseScratchFromItsEnd(): void {
    const { scratch } = this.#flash;
    for (let sector = scratch.sectors - 1; sector >= 0; sector -= 1) scratch.eraseSector(sector);
  }

  #writeRecord(area: FlashArea): void {
    writeSwapInfo(area, this.#type);
    if (readTrailer(this.#flash.secondary).imageOk === 'set') writeFlag(area, 'imageOk');
    writeSwapSize(area, this.#sizeBytes);
    writeMagic(area);
  }

  #bringRecordHome(): void {
    const { primary, scratch } = this.#flash;
    copyRegion(
      { area: scratch, offset: scratchStatusStart(scratch) },
      { area: primary, offset: statusStart(primary) },
      (STEPS - 1) * STATUS_ENTRY_BYTES,
    );
    writeSwapInfo(primary, this.#type);
    if (readTrailer(scratch).imageOk === 'set') writeFlag(primary, 'imageOk');
    writeSwapSize(primary, this.#sizeBytes);
    writeMagic(primary);
  }
}
