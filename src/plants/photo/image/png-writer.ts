import { promisify } from 'node:util';
import { crc32, deflate } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** 8 bits per sample, RGB, deflate, adaptive filters, not interlaced (PNG specification, 11.2.1). */
const RGB8 = [8, 2, 0, 0, 0];
const BYTES_PER_PIXEL = 3;
/** Each byte minus the one above it: halves photos at hardly any cost. */
const FILTER_UP = 2;

/** A raw picture. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** RGB, a byte each, row by row from the top. */
  readonly pixels: Uint8Array;
}

/** Writes a PNG with nothing but the picture; the same pixels always give the same bytes. */
export async function writePng({ width, height, pixels }: Pixels): Promise<Uint8Array> {
  const stride = width * BYTES_PER_PIXEL;
  const rows = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y += 1) {
    const to = y * (stride + 1);
    rows[to] = FILTER_UP;
    for (let x = 0, at = y * stride; x < stride; x += 1, at += 1) {
      rows[to + 1 + x] = (pixels[at] ?? 0) - (y === 0 ? 0 : (pixels[at - stride] ?? 0));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set(RGB8, 8);
  const data = await promisify(deflate)(rows, { level: 6 });
  return new Uint8Array(
    Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]),
  );
}

function chunk(type: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
