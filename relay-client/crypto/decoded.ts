import { type Bytes, fromBase64Url } from '@autowatering/relay-protocol';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws TypeError if the bytes are not UTF-8 */
export const textOf = (bytes: Bytes | ArrayBuffer): string => decoder.decode(bytes);

/** Base64url of exactly so many bytes, or undefined. */
export function decoded(text: string, length: number): Bytes | undefined {
  const bytes = fromBase64Url(text);
  return bytes?.length === length ? bytes : undefined;
}
