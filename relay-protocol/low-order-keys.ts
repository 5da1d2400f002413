import { fromBase64Url } from './bytes.ts';

/**
 * X25519 public keys with which every shared secret is the same, in all their encodings (RFC 7748 ignores the highest
 * bit, so each counts with it and without it).
 */
export const LOW_ORDER_KEYS = [
  'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '4Ot6fDtBuK4WVuP68Z_EatoJjeucMrH9hmIFFl9JuAA',
  'X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc',
  '7P_______________________________________38',
  '7f_______________________________________38',
  '7v_______________________________________38',
] as const;

const known = LOW_ORDER_KEYS.map((text) => fromBase64Url(text) ?? new Uint8Array());
const LAST = 31;

/** Whether an X25519 public key must be refused. */
export function isLowOrderKey(key: Uint8Array): boolean {
  return known.some((bad) => bad.every((byte, index) => byte === (index === LAST ? masked(key[LAST]) : key[index])));
}

function masked(last: number | undefined): number {
  return (last ?? 0) & 0x7f;
}
