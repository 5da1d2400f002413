/**
 * What a device with a key of its own signs, as text: shared by the backend, which checks it, and the simulated device,
 * which does it. The phone between them only relays. Every part is of a known alphabet without line breaks, so that no
 * two different facts make the same text.
 */

/** Proves to the cloud, which has given the nonce, that the phone is in reach of this device. */
export function claimMessage(proof: { readonly nonce: string; readonly hwId: string }): string {
  return ['autowatering-claim-1', proof.nonce, proof.hwId].join('\n');
}

export interface ReceiptSlot {
  readonly slot: number;
  /** The image's own hash in lower-case hex; empty for a slot without one. */
  readonly hash: string;
  readonly active: boolean;
  readonly confirmed: boolean;
  readonly pending: boolean;
}

export interface Receipt {
  readonly nonce: string;
  readonly hwId: string;
  /** Of the image that runs, lower-case hex. */
  readonly imageHash: string;
  readonly slots: readonly ReceiptSlot[];
}

/** Proves which image runs, and what lies in the slots. */
export function receiptMessage({ nonce, hwId, imageHash, slots }: Receipt): string {
  const states = [...slots].sort((a, b) => a.slot - b.slot).map(slotText);
  return ['autowatering-receipt-1', nonce, hwId, imageHash, ...states].join('\n');
}

function slotText({ slot, hash, active, confirmed, pending }: ReceiptSlot): string {
  const flags = [active ? 'active' : '', confirmed ? 'confirmed' : '', pending ? 'pending' : ''];
  return [slot, hash, flags.filter((flag) => flag !== '').join(',')].join(' ');
}
