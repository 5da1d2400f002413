import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';

/** What no provider may see. */
export const PRIVATE_TEXT = 'GPS 52.516275 13.377704 Ada Lovelace';

interface JpegOptions {
  readonly width?: number;
  readonly height?: number;
  /** EXIF orientation, 1–8. */
  readonly orientation?: number;
  readonly withPlace?: boolean;
  readonly pictureBytes?: number;
  readonly behind?: Uint8Array;
  readonly progressive?: boolean;
}

function segment(marker: number, data: Uint8Array): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

/** EXIF as phones write it: the orientation, and a directory with the location. */
export function exif(orientation: number): Buffer {
  const text = Buffer.from(`${PRIVATE_TEXT}\0`, 'latin1');
  const tiff = Buffer.alloc(64);
  tiff.write('II', 0, 'latin1');
  tiff.writeUInt16LE(42, 2);
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(2, 8);
  const entry = (at: number, tag: number, type: number, count: number, value: number) => {
    tiff.writeUInt16LE(tag, at);
    tiff.writeUInt16LE(type, at + 2);
    tiff.writeUInt32LE(count, at + 4);
    tiff.writeUInt32LE(value, at + 8);
  };
  entry(10, 0x0112, 3, 1, orientation);
  entry(22, 0x8825, 4, 1, 40);
  tiff.writeUInt16LE(1, 40);
  entry(42, 0x001b, 2, text.length, 64);
  return Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff, text]);
}

/** A JPEG with all kinds of segments, different on each call, like real photos. */
export function jpeg(options: JpegOptions = {}): Uint8Array<ArrayBuffer> {
  const { width = 1200, height = 900, orientation = 1, withPlace = false, pictureBytes = 600 } = options;
  const frame = Buffer.from([8, 0, 0, 0, 0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
  frame.writeUInt16BE(height, 1);
  frame.writeUInt16BE(width, 3);
  const scan = segment(0xda, Buffer.from([3, 1, 0, 2, 0x11, 3, 0x11, 0, 63, 0]));
  // Compressed data escapes each FF with a zero byte, and may contain restart markers.
  const data = Buffer.from(randomBytes(pictureBytes).toString('latin1').replaceAll('\xff', '\xff\0'), 'latin1');
  const picture = Buffer.concat([scan, data, Buffer.from([0xff, 0xd3]), data.subarray(0, 20)]);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0xff, 0xd8]),
      segment(0xe0, Buffer.from('JFIF\0\x01\x02\0\0\x01\0\x01\0\0', 'latin1')),
      ...(withPlace || orientation !== 1 ? [segment(0xe1, exif(orientation))] : []),
      ...(withPlace
        ? [
            segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>${PRIVATE_TEXT}</x:xmpmeta>`)),
            segment(0xed, Buffer.from(`Photoshop 3.0\0${PRIVATE_TEXT}`)),
            segment(0xfe, Buffer.from(PRIVATE_TEXT)),
          ]
        : []),
      segment(0xe2, Buffer.from('ICC_PROFILE\0\x01\x01colors', 'latin1')),
      segment(0xdb, Buffer.alloc(65, 1)),
      segment(options.progressive === true ? 0xc2 : 0xc0, frame),
      segment(0xc4, Buffer.alloc(20, 2)),
      picture,
      ...(options.progressive === true ? [segment(0xc4, Buffer.alloc(20, 3)), picture] : []),
      Buffer.from([0xff, 0xd9]),
      options.behind ?? Buffer.alloc(0),
    ]),
  );
}

function chunk(type: string, data: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, data, Buffer.alloc(4)]);
}

export function png({ width = 64, height = 48, withPlace = false } = {}): Uint8Array<ArrayBuffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', header),
      chunk('gAMA', Buffer.from([0, 0, 0xb1, 0x8f])),
      ...(withPlace ? [chunk('eXIf', exif(1).subarray(6)), chunk('tEXt', Buffer.from(`Author\0${PRIVATE_TEXT}`))] : []),
      chunk('IDAT', deflateSync(randomBytes(200))),
      ...(withPlace ? [chunk('iTXt', Buffer.from(PRIVATE_TEXT)), chunk('tIME', Buffer.alloc(7))] : []),
      chunk('IEND', Buffer.alloc(0)),
    ]),
  );
}

function riffChunk(type: string, data: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 0, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

export function webp({ width = 320, height = 200, withPlace = false, lossless = false } = {}): Uint8Array<ArrayBuffer> {
  const extended = Buffer.alloc(10);
  extended[0] = withPlace ? 0x0c : 0;
  extended.writeUIntLE(width - 1, 4, 3);
  extended.writeUIntLE(height - 1, 7, 3);
  const lossy = Buffer.concat([Buffer.alloc(10), randomBytes(51)]);
  lossy.writeUInt16LE(width, 6);
  lossy.writeUInt16LE(height, 8);
  const exact = Buffer.concat([Buffer.alloc(5), randomBytes(40)]);
  exact[0] = 0x2f;
  exact.writeUInt32LE(((height - 1) << 14) | (width - 1), 1);
  const body = Buffer.concat([
    Buffer.from('WEBP'),
    ...(withPlace ? [riffChunk('VP8X', extended)] : []),
    lossless ? riffChunk('VP8L', exact) : riffChunk('VP8 ', lossy),
    ...(withPlace ? [riffChunk('EXIF', exif(1)), riffChunk('XMP ', Buffer.from(PRIVATE_TEXT))] : []),
  ]);
  const head = Buffer.from('RIFF\0\0\0\0');
  head.writeUInt32LE(body.length, 4);
  return new Uint8Array(Buffer.concat([head, body]));
}

/** A form with the photo in the field the app uses. */
export function photoForm(
  photo: Uint8Array<ArrayBuffer> | undefined,
  fields: Readonly<Record<string, string>> = {},
  part = 'image',
): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  if (photo !== undefined) form.set(part, new Blob([photo], { type: 'image/jpeg' }), 'photo.jpg');
  return form;
}
