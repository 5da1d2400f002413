/** A channel for SMP packets between a phone and one device, whatever carries them. */
export interface Transport {
  /** Bytes per write. A device without reassembly takes no longer packet. */
  readonly writeBytes: number;
  /** The longest packet that the channel itself can carry. */
  readonly largestPacket: number;
  /** Calls `sent` when the last byte has left, which may be much later on a slow channel. */
  send(packet: Uint8Array, sent: () => void): void;
  onPacket(listener: (packet: Uint8Array) => void): void;
  /** Calls the listener once when either side ends the connection. */
  onClose(listener: () => void): void;
  close(): void;
}

/** There is no connection, or no longer one. */
export class LinkLostError extends Error {
  override readonly name = 'LinkLostError';
}

/** The device only answers paired phones, and this one is not paired. */
export class PairingRequiredError extends Error {
  override readonly name = 'PairingRequiredError';
}
