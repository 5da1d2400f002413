/** A way for SMP packets between a phone and one device, whatever carries them. */
export interface Transport {
  /** What one write carries: a device that does not put fragments together takes no longer packet. */
  readonly writeBytes: number;
  /** The longest packet the way itself can carry. */
  readonly largestPacket: number;
  /** Calls `sent` when the last byte has left: on a slow way that may be long after. */
  send(packet: Uint8Array, sent: () => void): void;
  onPacket(listener: (packet: Uint8Array) => void): void;
  /** Told once when the connection is gone, from whichever side. */
  onClose(listener: () => void): void;
  close(): void;
}

/** There is no connection, or there is none any more. */
export class LinkLostError extends Error {
  override readonly name = 'LinkLostError';
}

/** The device answers paired phones only, and this one is not. */
export class PairingRequiredError extends Error {
  override readonly name = 'PairingRequiredError';
}
