import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { trustedKey } from '../../firmware-sim/index.ts';

const FOLDER = fileURLToPath(new URL('../fixtures/firmware/', import.meta.url));

/** A genuine MCUboot image of the fixtures, good or bad. */
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

/** The same image with another version in its header: still an MCUboot image, though its signature is broken. */
export function withVersion(image: Uint8Array, version: string): Buffer {
  const copy = Buffer.from(image);
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  copy.writeUInt8(major, 20);
  copy.writeUInt8(minor, 21);
  copy.writeUInt16LE(patch, 22);
  return copy;
}
