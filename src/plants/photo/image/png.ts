import type { PhotoFormat } from './photo.ts';

const SIGNATURE_BYTES = 8;
/** Length, type and checksum around a chunk's data. */
const FRAME_BYTES = 12;
/** Chunks that affect how the picture looks; critical ones begin with an upper-case letter and are always kept. */
const KEPT: ReadonlySet<string> = new Set(['tRNS', 'gAMA', 'cHRM', 'sRGB', 'iCCP', 'sBIT', 'bKGD', 'pHYs']);

/** Walks the chunks to the end of the image and drops text, time and EXIF. */
export function readPng(bytes: Uint8Array): PhotoFormat | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, SIGNATURE_BYTES)];
  let size: { readonly width: number; readonly height: number } | undefined;
  let hasData = false;
  for (let at = SIGNATURE_BYTES; at + FRAME_BYTES <= bytes.length; ) {
    const end = at + FRAME_BYTES + view.getUint32(at);
    if (end > bytes.length) return undefined;
    const type = Buffer.from(bytes.subarray(at + 4, at + 8)).toString('latin1');
    if (type === 'IHDR' && end - at === FRAME_BYTES + 13) {
      size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    }
    hasData ||= type === 'IDAT';
    if (/^[A-Z]/.test(type) || KEPT.has(type)) kept.push(bytes.subarray(at, end));
    at = end;
    if (type !== 'IEND') continue;
    return size === undefined || !hasData ? undefined : { ...size, bytes: new Uint8Array(Buffer.concat(kept)) };
  }
  return undefined;
}
