import { orientationOf, orientationSegment } from './orientation.ts';
import type { PhotoFormat } from './photo.ts';

/** Markers of ITU T.81, Table B.1. */
const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const COM = 0xfe;
const APP0 = 0xe0;
const APP1 = 0xe1;
const APP15 = 0xef;
/** JFIF, the color profile and Adobe's color transform are needed to decode; other APPn hold metadata. */
const KEPT_APPS: ReadonlySet<number> = new Set([APP0, 0xe2, 0xee]);
/** Start-of-frame markers are C0 to CF, except these three. */
const NO_FRAME: ReadonlySet<number> = new Set([0xc4, 0xc8, 0xcc]);

/** Walks the segments to the end of the image and drops those that are not needed to display it. */
export function readJpeg(bytes: Uint8Array): PhotoFormat | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [];
  let size: { readonly width: number; readonly height: number } | undefined;
  let orientation = 1;
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    if (end > bytes.length || marker === SOI || marker === EOI) return undefined;
    const segment = bytes.subarray(at, end);
    if (isFrame(marker) && segment.length >= 9)
      size = { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    if (marker === APP1) orientation = orientationOf(segment.subarray(4)) ?? orientation;
    if (isKept(marker)) kept.push(segment);
    at = end;
    if (marker !== SOS) continue;
    const after = endOfScan(bytes, at);
    if (after === undefined) return undefined;
    kept.push(bytes.subarray(at, after));
    at = after;
    if (bytes[at + 1] !== EOI) continue;
    if (size === undefined) return undefined;
    const head = orientation === 1 ? [] : [orientationSegment(orientation)];
    return { ...size, bytes: joined([Uint8Array.of(0xff, SOI), ...head, ...kept, Uint8Array.of(0xff, EOI)]) };
  }
  return undefined;
}

/** Returns the offset of the next marker after compressed data; undefined when there is none. */
function endOfScan(bytes: Uint8Array, from: number): number | undefined {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1];
    if (marker === undefined) return undefined;
    // Stuffed zeros, restart markers and fill bytes belong to the data.
    const isData = marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7);
    if (!isData) return at;
  }
  return undefined;
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && !NO_FRAME.has(marker);
}

function isKept(marker: number): boolean {
  if (marker === COM) return false;
  return marker < APP0 || marker > APP15 || KEPT_APPS.has(marker);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
