/**
 * The texts that a device signs with its own key. Shared by the backend, which checks the signature, and the simulated
 * device, which signs. The phone between them only relays. Every part uses a known alphabet without line breaks, so
 * that different facts never produce the same text.
 */

/** Proves to the cloud, which issued the nonce, that the phone is near this device. */
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
  /** Of the running image, lower-case hex. */
  readonly imageHash: string;
  readonly slots: readonly ReceiptSlot[];
}

/** Proves which image runs, and what the slots hold. */
export function receiptMessage({ nonce, hwId, imageHash, slots }: Receipt): string {
  const states = [...slots].sort((a, b) => a.slot - b.slot).map(slotText);
  return ['autowatering-receipt-1', nonce, hwId, imageHash, ...states].join('\n');
}

function slotText({ slot, hash, active, confirmed, pending }: ReceiptSlot): string {
  const flags = [active ? 'active' : '', confirmed ? 'confirmed' : '', pending ? 'pending' : ''];
  return [slot, hash, flags.filter((flag) => flag !== '').join(',')].join(' ');
}
