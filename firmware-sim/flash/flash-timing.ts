/** How long a chip takes for what it is told, in milliseconds. */
export interface FlashTiming {
  readonly erasePageMs: number;
  /** A write is made in units of that many bytes, which don't reach over a multiple of it. */
  readonly writeUnitBytes: number;
  readonly writeUnitMs: number;
}

/**
 * Inside the nRF52840: 85 ms for a page, 41 µs for a word. The figures usually quoted; the facts sheet (G1) found those
 * of the nRF5340 (87.5 ms, 43 µs) in a source, and not these.
 */
export const NRF52840_TIMING: FlashTiming = { erasePageMs: 85, writeUnitBytes: 4, writeUnitMs: 0.041 };

/** W25Q128, typical: 45 ms for a sector of 4 KiB, 0.4 ms for a page of 256 bytes (facts sheet, G1). */
export const W25Q128_TIMING: FlashTiming = { erasePageMs: 45, writeUnitBytes: 256, writeUnitMs: 0.4 };

export function writeMs(timing: FlashTiming, offset: number, bytes: number): number {
  const { writeUnitBytes: unit, writeUnitMs } = timing;
  return (Math.ceil((offset + bytes) / unit) - Math.floor(offset / unit)) * writeUnitMs;
}
