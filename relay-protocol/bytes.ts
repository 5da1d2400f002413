/** Bytes in memory of their own, as WebCrypto takes them. */
export type Bytes = Uint8Array<ArrayBuffer>;

const ENCODER = new TextEncoder();
const LATIN1 = new TextDecoder('latin1');
const ALPHABET = ENCODER.encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_');
const NOT_BASE64URL = 255;
const VALUES = new Uint8Array(128).fill(NOT_BASE64URL);
ALPHABET.forEach((character, value) => {
  VALUES[character] = value;
});

/** The bytes of a text in UTF-8. */
export function utf8(text: string): Bytes {
  return ENCODER.encode(text);
}

/** All parts, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}

const MOST_PREFIXED = 0xffff;

/**
 * The length of `bytes` as two bytes, big-endian, then the bytes.
 *
 * @throws RangeError for more than 65,535 bytes
 */
export function lp(bytes: Uint8Array): Bytes {
  const { byteLength: length } = bytes;
  if (length > MOST_PREFIXED) throw new RangeError(`${length} bytes are too many for a length of two bytes`);
  return concat(Uint8Array.of(length >>> 8, length & 0xff), bytes);
}

/**
 * Four bytes, big-endian.
 *
 * @throws RangeError for anything but an integer from 0 to 2³² − 1
 */
export function u32(value: number): Bytes {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new RangeError(`${value} is no 32-bit number`);
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/**
 * Eight bytes, big-endian.
 *
 * @throws RangeError for anything but an integer from 0 to 2⁵³ − 1
 */
export function u64(value: number): Bytes {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no 64-bit number`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** Base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  const { byteLength: length } = bytes;
  const text = new Uint8Array(Math.ceil((length * 4) / 3));
  let at = 0;
  for (let index = 0; index < length; index += 3) {
    const three = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    // Writing past the end of a typed array does nothing: the last group may be short.
    text[at] = ALPHABET[three >>> 18] ?? 0;
    text[at + 1] = ALPHABET[(three >>> 12) & 63] ?? 0;
    text[at + 2] = ALPHABET[(three >>> 6) & 63] ?? 0;
    text[at + 3] = ALPHABET[three & 63] ?? 0;
    at += 4;
  }
  return LATIN1.decode(text);
}

/**
 * Reads base64url in its only form: no padding, no other characters, and no bits set after the last byte. Undefined for
 * everything else, so that no two texts mean the same bytes.
 */
export function fromBase64Url(text: string): Bytes | undefined {
  const { length } = text;
  const rest = length % 4;
  if (rest === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let at = 0;
  let bits = 0;
  let waiting = 0;
  for (let index = 0; index < length; index += 1) {
    const value = VALUES[text.charCodeAt(index)] ?? NOT_BASE64URL;
    if (value === NOT_BASE64URL) return undefined;
    bits = ((bits << 6) | value) & 0xffff;
    waiting += 6;
    if (waiting >= 8) {
      waiting -= 8;
      bytes[at] = (bits >>> waiting) & 0xff;
      at += 1;
    }
  }
  const isCanonical = (bits & ((1 << waiting) - 1)) === 0;
  return isCanonical ? bytes : undefined;
}
