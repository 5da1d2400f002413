import { crc32, deflateSync } from 'node:zlib';

/** Returns a grey image of 8 × 8 pixels, a different one for each `fill`. */
export function smallPng(fill: number): Uint8Array<ArrayBuffer> {
  const chunk = (type: string, data: Uint8Array) => {
    const framed = Buffer.alloc(data.length + 12);
    framed.writeUInt32BE(data.length);
    framed.write(type, 4, 'latin1');
    framed.set(data, 8);
    framed.writeUInt32BE(crc32(framed.subarray(4, data.length + 8)), data.length + 8);
    return framed;
  };
  const header = Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0]);
  const rows = Buffer.alloc(8 * 9, fill).map((value, at) => (at % 9 === 0 ? 0 : value));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const parts = [signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return new Uint8Array(Buffer.concat(parts));
}
