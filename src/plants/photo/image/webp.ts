import type { PhotoFormat } from './photo.ts';

const HEADER_BYTES = 12;
const EXIF_FLAG = 0x08;
const XMP_FLAG = 0x04;
const PRIVATE: ReadonlySet<string> = new Set(['EXIF', 'XMP ']);
/** Chunks of the WebP container specification that make up the picture. */
const PICTURE: ReadonlySet<string> = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'ICCP']);

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Walks the chunks of the RIFF container and drops EXIF, XMP and unknown ones. */
export function readWebp(bytes: Uint8Array): PhotoFormat | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES + 8) return undefined;
  const total = view.getUint32(4, true) + 8;
  if (total > bytes.length) return undefined;
  const kept: Uint8Array[] = [];
  let size: Size | undefined;
  let hasPicture = false;
  for (let at = HEADER_BYTES; at + 8 <= total; ) {
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length + (length % 2);
    if (end > total) return undefined;
    const type = Buffer.from(bytes.subarray(at, at + 4)).toString('latin1');
    const chunk = bytes.slice(at, end);
    if (type === 'VP8X') chunk[8] = (chunk[8] ?? 0) & ~(EXIF_FLAG | XMP_FLAG);
    size ??= sizeOf(type, chunk.subarray(8));
    hasPicture ||= type === 'VP8 ' || type === 'VP8L' || type === 'ANMF';
    if (PICTURE.has(type) && !PRIVATE.has(type)) kept.push(chunk);
    at = end;
  }
  if (size === undefined || !hasPicture) return undefined;
  const body = Buffer.concat(kept);
  const header = Buffer.from(bytes.slice(0, HEADER_BYTES));
  header.writeUInt32LE(body.length + 4, 4);
  return { ...size, bytes: new Uint8Array(Buffer.concat([header, body])) };
}

function sizeOf(type: string, data: Uint8Array): Size | undefined {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (type === 'VP8X' && data.length >= 10) return { width: 1 + uint24(view, 4), height: 1 + uint24(view, 7) };
  if (type === 'VP8 ' && data.length >= 10) {
    return { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
  }
  if (type !== 'VP8L' || data.length < 5 || data[0] !== 0x2f) return undefined;
  const bits = view.getUint32(1, true);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}
