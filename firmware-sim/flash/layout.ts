import { FlashArea } from './flash-area.ts';
import { type FlashOperation, NorFlash } from './nor-flash.ts';

const INTERNAL_BYTES = 1024 * 1024;
const EXTERNAL_BYTES = 16 * 1024 * 1024;
const SLOT_0_START = 0x22000;
const SLOT_BYTES = 0xd8000 - SLOT_0_START;

export interface Slots {
  readonly primary: FlashArea;
  readonly secondary: FlashArea;
}

/**
 * The product's layout: slot 0 at 0x22000–0xD8000 (728 KiB, 182 pages) inside the nRF52840, slot 1 of the same size on
 * the external W25Q128, whose Zephyr driver writes single bytes (facts sheet, G1).
 */
export function createProductSlots(onOperation?: (operation: FlashOperation) => void): Slots {
  const hook = onOperation === undefined ? {} : { onOperation };
  const internal = new NorFlash({ name: 'nrf52840', sizeBytes: INTERNAL_BYTES, writeBlockBytes: 4, ...hook });
  const external = new NorFlash({ name: 'w25q128', sizeBytes: EXTERNAL_BYTES, writeBlockBytes: 1, ...hook });
  return {
    primary: new FlashArea('slot0', internal, SLOT_0_START, SLOT_BYTES),
    secondary: new FlashArea('slot1', external, 0, SLOT_BYTES),
  };
}
