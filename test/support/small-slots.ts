import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { FlashArea } from '../../firmware-sim/flash/flash-area.ts';
import type { Slots } from '../../firmware-sim/flash/layout.ts';
import { type FlashOperation, NorFlash, PAGE_BYTES } from '../../firmware-sim/flash/nor-flash.ts';
import { type TrustedKey, trustedKey } from '../../release-format/verify-image.ts';
import { signedImageOf } from './firmware.ts';

/** Slots of six pages, as the reference traces were recorded with: every flash operation of a swap can be looked at. */
export const SMALL_SECTORS = 6;

export interface SmallSlotsOptions {
  readonly externalWriteBlock?: number;
  readonly onOperation?: (operation: FlashOperation) => void;
}

export function smallSlots(options: SmallSlotsOptions = {}): Slots {
  const hook = options.onOperation === undefined ? {} : { onOperation: options.onOperation };
  const sizeBytes = SMALL_SECTORS * PAGE_BYTES;
  const internal = new NorFlash({ name: 'PRI', sizeBytes, writeBlockBytes: 4, ...hook });
  const external = new NorFlash({ name: 'SEC', sizeBytes, writeBlockBytes: options.externalWriteBlock ?? 4, ...hook });
  return {
    primary: new FlashArea('slot0', internal, 0, sizeBytes),
    secondary: new FlashArea('slot1', external, 0, sizeBytes),
  };
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const SMALL_PEM = String(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
export const SMALL_KEY: TrustedKey = trustedKey(SMALL_PEM);

/** A validly signed image of exactly that many bytes, signature and all. */
export function signedImage(version: readonly [number, number, number], fileBytes: number): Buffer {
  // ECDSA signatures vary by a byte or two: sign until the length fits.
  for (;;) {
    const image = trySign(version, fileBytes);
    if (image.length === fileBytes) return image;
  }
}

function trySign([major, minor, revision]: readonly [number, number, number], fileBytes: number): Buffer {
  const trailerBytes = 4 + 36 + 36 + 4 + 71;
  const region = Buffer.alloc(fileBytes - trailerBytes, major * 16 + minor + 1);
  region.fill(0, 0, 32);
  region.writeUInt32LE(0x96f3b83d, 0);
  region.writeUInt16LE(32, 8);
  region.writeUInt32LE(region.length - 32, 12);
  region.writeUInt8(major, 20);
  region.writeUInt8(minor, 21);
  region.writeUInt16LE(revision, 22);
  return signedImageOf(region, privateKey, SMALL_KEY.hash);
}
