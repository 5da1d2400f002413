import { FlashArea } from './flash-area.ts';
import { NRF52840_TIMING, W25Q128_TIMING } from './flash-timing.ts';
import { type FlashOperation, NorFlash, PAGE_BYTES } from './nor-flash.ts';
import type { PagePool } from './page-pool.ts';
import { PowerSupply } from './power-supply.ts';

const INTERNAL_BYTES = 1024 * 1024;
const EXTERNAL_BYTES = 16 * 1024 * 1024;
const SLOT_0_START = 0x22000;
const SLOT_BYTES = 0xd8000 - SLOT_0_START;
const SCRATCH_START = 0x100000;
const SCRATCH_BYTES = 32 * PAGE_BYTES;

export interface Slots {
  readonly primary: FlashArea;
  readonly secondary: FlashArea;
}

/** The flash of one board and its power supply. */
export interface FlashMap extends Slots {
  readonly scratch: FlashArea;
  readonly power: PowerSupply;
  /** Milliseconds spent on writes and erases since the last call. */
  takeBusyMs(): number;
  /** Shares pages with other boards while no write is imminent. */
  settle(): void;
}

export interface ProductFlashOptions {
  readonly onOperation?: (operation: FlashOperation) => void;
  /** Whether writes and erases take as long as on the chips; otherwise they take no time. */
  readonly timed?: boolean;
  /** For the external chip: 1 with Zephyr's SPI NOR driver, 4 where a driver writes only words. */
  readonly externalWriteBlockBytes?: 1 | 4;
  readonly pool?: PagePool;
}

/**
 * The product's layout: slot 0 at 0x22000–0xD8000 (728 KiB, 182 pages) inside the nRF52840; slot 1 of the same size and
 * a 128 KiB scratch area on the external W25Q128, whose Zephyr driver writes single bytes (facts sheet, G1 and G5).
 */
export function createProductFlash(options: ProductFlashOptions = {}): FlashMap {
  const { onOperation, timed = false, externalWriteBlockBytes = 1, pool } = options;
  const power = new PowerSupply();
  const shared = { power, ...(onOperation && { onOperation }), ...(pool && { pool }) };
  const internal = new NorFlash({
    ...{ name: 'nrf52840', sizeBytes: INTERNAL_BYTES, writeBlockBytes: 4, ...shared },
    ...(timed && { timing: NRF52840_TIMING }),
  });
  const external = new NorFlash({
    ...{ name: 'w25q128', sizeBytes: EXTERNAL_BYTES, writeBlockBytes: externalWriteBlockBytes, ...shared },
    ...(timed && { timing: W25Q128_TIMING }),
  });
  return {
    primary: new FlashArea('slot0', internal, SLOT_0_START, SLOT_BYTES),
    secondary: new FlashArea('slot1', external, 0, SLOT_BYTES),
    scratch: new FlashArea('scratch', external, SCRATCH_START, SCRATCH_BYTES),
    power,
    takeBusyMs: () => internal.takeBusyMs() + external.takeBusyMs(),
    settle() {
      internal.settle();
      external.settle();
    },
  };
}
