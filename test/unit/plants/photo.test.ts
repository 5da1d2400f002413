import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orientationOf } from '../../../src/plants/photo/image/orientation.ts';
import { readPhoto } from '../../../src/plants/photo/image/read-photo.ts';
import { jpeg, PRIVATE_TEXT, png, webp } from '../../support/photos.ts';

const good = (bytes: Uint8Array) => {
  const outcome = readPhoto(bytes);
  if (!outcome.ok) throw new Error(outcome.reason);
  return outcome.photo;
};
const has = (bytes: Uint8Array, text: string) => Buffer.from(bytes).includes(text);

const PHOTOS = {
  'a JPEG': {
    bytes: jpeg({ withPlace: true, width: 4000, height: 3000 }),
    type: 'image/jpeg',
    width: 4000,
    height: 3000,
  },
  'a progressive JPEG': {
    bytes: jpeg({ withPlace: true, progressive: true }),
    type: 'image/jpeg',
    width: 1200,
    height: 900,
  },
  'a PNG': { bytes: png({ withPlace: true }), type: 'image/png', width: 64, height: 48 },
  'a WebP': { bytes: webp({ withPlace: true }), type: 'image/webp', width: 320, height: 200 },
  'a lossless WebP': {
    bytes: webp({ lossless: true, width: 77, height: 33 }),
    type: 'image/webp',
    width: 77,
    height: 33,
  },
  'a plain WebP': { bytes: webp({}), type: 'image/webp', width: 320, height: 200 },
} as const;

describe.each(Object.entries(PHOTOS))('%s', (_name, { bytes, ...facts }) => {
  it('is recognised by its bytes, with its size', () => {
    expect(good(bytes)).toMatchObject(facts);
  });

  it('loses all metadata', () => {
    const { bytes: clean } = good(bytes);
    expect(has(clean, PRIVATE_TEXT)).toBe(false);
    for (const trace of ['Exif', 'eXIf', 'EXIF', 'XMP', 'xmpmeta', 'Photoshop', 'tEXt', 'iTXt', 'tIME', 'Ada']) {
      expect(has(clean, trace), trace).toBe(false);
    }
  });

  it('stays the same when cleaned again', () => {
    const once = good(bytes);
    expect(good(once.bytes)).toEqual(once);
  });

  it('is damaged when cut off anywhere', () => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(readPhoto(bytes.slice(0, length)).ok, `cut at ${length} of ${bytes.length}`).toBe(false);
    }
  });

  it('with corrupted bytes is read or rejected, but never crashes the reader', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 20 }), (changes) => {
        const broken = bytes.slice();
        for (const [at, value] of changes) broken[at] = value;
        const outcome = readPhoto(broken);
        if (outcome.ok) expect(outcome.photo.width * outcome.photo.height).toBeLessThanOrEqual(25_000_000);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a JPEG', () => {
  it.each([2, 3, 6, 8])('keeps only its orientation (%i) from EXIF', (orientation) => {
    const { bytes } = good(jpeg({ orientation, withPlace: true }));
    expect(has(bytes, PRIVATE_TEXT)).toBe(false);
    expect(orientationOf(bytes.subarray(6))).toBe(orientation);
  });

  it('loses data appended to it: a video, a second picture, a secret', () => {
    const { bytes } = good(jpeg({ behind: Buffer.from(`ftypmp42 ${PRIVATE_TEXT}`) }));
    expect(has(bytes, 'ftyp')).toBe(false);
    expect([...bytes.slice(-2)]).toEqual([0xff, 0xd9]);
  });

  it('keeps its color profile and tables', () => {
    const { bytes } = good(jpeg({ withPlace: true }));
    expect(has(bytes, 'ICC_PROFILE')).toBe(true);
    expect(has(bytes, 'JFIF')).toBe(true);
  });
});

describe('a file that is not a photo', () => {
  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
    ['a GIF', 'GIF89a\x01\0\x01\0'],
    ['a zip', 'PK\x03\x04'],
    ['a PDF', '%PDF-1.7'],
    ['an HEIC', '\0\0\0\x18ftypheic'],
    ['a RIFF audio file', 'RIFF\x24\0\0\0WAVEfmt '],
  ])('is rejected: %s', (_name, text) => {
    expect(readPhoto(Buffer.from(text, 'latin1'))).toEqual({ ok: false, reason: 'no_image' });
  });

  it.each([png({ width: 50_000, height: 50_000 }), jpeg({ width: 6_000, height: 5_000 })])(
    'is rejected by its header if it is small but has too many pixels',
    (bytes) => {
      expect(readPhoto(bytes)).toEqual({ ok: false, reason: 'too_many_pixels' });
    },
  );

  it.each([png({ width: 0 }), jpeg({ height: 0 })])('is damaged if it has no size', (bytes) => {
    expect(readPhoto(bytes)).toEqual({ ok: false, reason: 'damaged' });
  });
});
