import { MOST_PIXELS } from '../image-limits.ts';
import { readJpeg } from './jpeg.ts';
import type { PhotoFormat, PhotoOutcome, PhotoType } from './photo.ts';
import { readPng } from './png.ts';
import { readWebp } from './webp.ts';

const READERS: readonly {
  readonly type: PhotoType;
  readonly isType: (bytes: Uint8Array) => boolean;
  readonly read: (bytes: Uint8Array) => PhotoFormat | undefined;
}[] = [
  { type: 'image/jpeg', isType: (bytes) => startsWith(bytes, [0xff, 0xd8, 0xff]), read: readJpeg },
  {
    type: 'image/png',
    isType: (bytes) => startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    read: readPng,
  },
  {
    type: 'image/webp',
    isType: (bytes) => startsWith(bytes, RIFF) && startsWith(bytes.subarray(8), WEBP),
    read: readWebp,
  },
];
const RIFF = [...Buffer.from('RIFF')];
const WEBP = [...Buffer.from('WEBP')];

/**
 * Detects the format from the bytes, whatever they are declared as, and strips everything but the picture: location and
 * time, camera, comments, thumbnails and trailing data. Only the orientation is kept.
 */
export function readPhoto(bytes: Uint8Array): PhotoOutcome {
  const reader = READERS.find(({ isType }) => isType(bytes));
  if (reader === undefined) return { ok: false, reason: 'no_image' };
  const found = reader.read(bytes);
  if (found === undefined || found.width === 0 || found.height === 0) return { ok: false, reason: 'damaged' };
  if (found.width * found.height > MOST_PIXELS) return { ok: false, reason: 'too_many_pixels' };
  return { ok: true, photo: { type: reader.type, ...found } };
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, at) => bytes[at] === byte);
}
