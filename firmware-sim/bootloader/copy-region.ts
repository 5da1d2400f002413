import type { FlashArea } from '../flash/flash-area.ts';

/** Bytes of MCUboot's copy buffer. */
const COPY_BYTES = 1024;

/** Copies in chunks of MCUboot's buffer size; the target must be erased. */
export function copyRegion(
  from: { readonly area: FlashArea; readonly offset: number },
  to: { readonly area: FlashArea; readonly offset: number },
  bytes: number,
): void {
  for (let done = 0; done < bytes; done += COPY_BYTES) {
    const count = Math.min(COPY_BYTES, bytes - done);
    to.area.write(to.offset + done, from.area.read(from.offset + done, count));
  }
}

export function eraseSectors(area: FlashArea, first: number, count: number): void {
  for (let sector = first; sector < first + count; sector += 1) area.eraseSector(sector);
}
