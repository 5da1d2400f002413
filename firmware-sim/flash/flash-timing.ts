/** How long a chip's operations take, in milliseconds. */
export interface FlashTiming {
  readonly erasePageMs: number;
  /** Writes are split into units of this many bytes, aligned to multiples of it. */
  readonly writeUnitBytes: number;
  readonly writeUnitMs: number;
}

/**
 * Flash inside the nRF52840: 85 ms per page, 41 µs per word. These are the figures usually quoted; the facts sheet (G1)
 * found a source only for those of the nRF5340 (87.5 ms, 43 µs).
 */
export const NRF52840_TIMING: FlashTiming = { erasePageMs: 85, writeUnitBytes: 4, writeUnitMs: 0.041 };

/** W25Q128, typical: 45 ms per 4 KiB sector, 0.4 ms per 256-byte page (facts sheet, G1). */
export const W25Q128_TIMING: FlashTiming = { erasePageMs: 45, writeUnitBytes: 256, writeUnitMs: 0.4 };

export function writeMs(timing: FlashTiming, offset: number, bytes: number): number {
  const { writeUnitBytes: unit, writeUnitMs } = timing;
  return (Math.ceil((offset + bytes) / unit) - Math.floor(offset / unit)) * writeUnitMs;
}
