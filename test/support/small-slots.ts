import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import {
  FlashArea,
  type FlashMap,
  type FlashOperation,
  NorFlash,
  PAGE_BYTES,
  PowerSupply,
} from '@autowatering/firmware-sim';
import { type TrustedKey, trustedKey } from '@autowatering/release-format';
import { signedImageOf } from './firmware.ts';

/** Slots of six pages, as in the reference traces, so every flash operation of a swap can be checked. */
export const SMALL_SECTORS = 6;

export interface SmallSlotsOptions {
  readonly externalWriteBlock?: number;
  readonly scratchSectors?: number;
  readonly onOperation?: (operation: FlashOperation) => void;
}

export function smallSlots(options: SmallSlotsOptions = {}): FlashMap {
  const { externalWriteBlock = 4, scratchSectors = 1, onOperation } = options;
  const power = new PowerSupply();
  const area = (name: string, sectors: number, writeBlockBytes: number) => {
    const sizeBytes = sectors * PAGE_BYTES;
    const flash = new NorFlash({ name, sizeBytes, writeBlockBytes, power, ...(onOperation && { onOperation }) });
    return new FlashArea(name, flash, 0, sizeBytes);
  };
  return {
    primary: area('PRI', SMALL_SECTORS, 4),
    secondary: area('SEC', SMALL_SECTORS, externalWriteBlock),
    scratch: area('SCR', scratchSectors, externalWriteBlock),
    power,
    takeBusyMs: () => 0,
    settle: () => {},
  };
}

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const SMALL_PEM = String(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }));
export const SMALL_KEY: TrustedKey = trustedKey(SMALL_PEM);

type Version = readonly [major: number, minor: number, revision: number];

export interface ImageParts {
  readonly flags?: number;
  /** Protected TLVs, by type. */
  readonly guarded?: readonly { readonly type: number; readonly value: Uint8Array }[];
}

/** A validly signed image of exactly this size, including the signature. */
export function signedImage(version: Version, fileBytes: number, parts: ImageParts = {}): Buffer {
  // ECDSA signatures vary by a byte or two, so sign until the length fits.
  for (;;) {
    const image = trySign(version, fileBytes, parts);
    if (image.length === fileBytes) return image;
  }
}

function trySign([major, minor, revision]: Version, fileBytes: number, { flags = 0, guarded }: ImageParts): Buffer {
  const trailerBytes = 4 + 36 + 36 + 4 + 71;
  const protectedArea = guarded === undefined ? Buffer.alloc(0) : protectedTlvs(guarded);
  const body = Buffer.alloc(fileBytes - trailerBytes - protectedArea.length, major * 16 + minor + 1);
  const region = Buffer.concat([body, protectedArea]);
  region.fill(0, 0, 32);
  region.writeUInt32LE(0x96f3b83d, 0);
  region.writeUInt16LE(32, 8);
  region.writeUInt16LE(protectedArea.length, 10);
  region.writeUInt32LE(body.length - 32, 12);
  region.writeUInt32LE(flags, 16);
  region.writeUInt8(major, 20);
  region.writeUInt8(minor, 21);
  region.writeUInt16LE(revision, 22);
  return signedImageOf(region, privateKey, SMALL_KEY.hash);
}

function protectedTlvs(tlvs: NonNullable<ImageParts['guarded']>): Buffer {
  const entries = tlvs.map(({ type, value }) => {
    const head = Buffer.alloc(4);
    head.writeUInt16LE(type, 0);
    head.writeUInt16LE(value.byteLength, 2);
    return Buffer.concat([head, value]);
  });
  const info = Buffer.alloc(4);
  info.writeUInt16LE(0x6908, 0);
  info.writeUInt16LE(4 + Buffer.concat(entries).length, 2);
  return Buffer.concat([info, ...entries]);
}
