import { randomBytes } from 'node:crypto';
import type { RawBody } from './peer/gateway-event.ts';

const HEAD = Buffer.from('ffd8ffc0001108038404b003012200021101031101ffda000c03010002110311003f00', 'hex');
const BOUNDARY = 'bench-form-boundary';

/** Returns JPEG segments around random data. The backend does not decode it, so it need not be a picture. */
export function photoOf(bytes: number): Uint8Array<ArrayBuffer> {
  const data = randomBytes(bytes - HEAD.length - 2).map((byte) => (byte === 0xff ? 0 : byte));
  return new Uint8Array(Buffer.concat([HEAD, data, Buffer.from([0xff, 0xd9])]));
}

/** Returns the form that the app sends a photo in. */
export function photoForm(photo: Uint8Array): RawBody {
  const head =
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\n` +
    'Content-Type: image/jpeg\r\n\r\n';
  const bytes = Buffer.concat([Buffer.from(head), photo, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]);
  return { contentType: `multipart/form-data; boundary=${BOUNDARY}`, bytes };
}
