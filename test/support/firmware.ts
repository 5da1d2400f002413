import { createHash, createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseMcubootHeader, trustedKey } from '@autowatering/release-format';

const FOLDER = fileURLToPath(new URL('../fixtures/firmware/', import.meta.url));

/** A real MCUboot image from the fixtures, good or bad. */
export function firmware(name: string): Buffer {
  return readFileSync(`${FOLDER}${name}`);
}

export const GOOD = {
  '1.0.0': 'autowatering-1.0.0.signed.bin',
  '1.1.0': 'autowatering-1.1.0.signed.bin',
  '2.0.0': 'autowatering-2.0.0.signed.bin',
} as const;

export const DEV_KEY = trustedKey(firmware('dev-signing-key.pub.pem').toString('utf8'));

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const DEV_PRIVATE_KEY = createPrivateKey(firmware('dev-signing-key.pem'));

/** The same firmware as another version, with a valid header, hash and dev-key signature. */
export function withVersion(image: Uint8Array, version: string): Buffer {
  const header = parseMcubootHeader(image);
  if (!header.ok) throw new Error('not an image');
  const region = Buffer.from(image.subarray(0, header.header.headerSize + header.header.bodySize));
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  region.writeUInt8(major, 20);
  region.writeUInt8(minor, 21);
  region.writeUInt16LE(patch, 22);
  return signedImageOf(region, DEV_PRIVATE_KEY, DEV_KEY.hash);
}

/** Header and body followed by the TLVs, as imgtool writes them for an ECDSA key. */
export function signedImageOf(region: Uint8Array, key: KeyObject, keyHash: Uint8Array): Buffer {
  const tlv = (type: number, value: Uint8Array) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(type, 0);
    head.writeUInt16LE(value.byteLength, 2);
    return Buffer.concat([head, value]);
  };
  const tlvs = Buffer.concat([
    tlv(0x10, createHash('sha256').update(region).digest()),
    tlv(0x01, keyHash),
    tlv(0x22, sign('sha256', region, { key, dsaEncoding: 'der' })),
  ]);
  const info = Buffer.alloc(4);
  info.writeUInt16LE(0x6907, 0);
  info.writeUInt16LE(tlvs.length + 4, 2);
  return Buffer.concat([region, info, tlvs]);
}
