import type { HwId } from '../../platform/ids.ts';
import type { NoncePurpose } from '../../platform/nonces.ts';

/** A phone may come back days after the update. The receipt is about that version on that device, whenever it was. */
export const RECEIPT_MS = 7 * 24 * 60 * 60 * 1000;

/** What the nonce of a device's receipt is for. */
export function receiptPurpose(device: { readonly hwId: HwId }, version: string): NoncePurpose {
  return { purpose: 'receipt', subject: `${device.hwId}|${version}` };
}
