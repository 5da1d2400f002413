import type { Characteristic } from './characteristics.ts';

/** A phone's or hub's side of the garden's services, whatever carries them. Requests are served one after the other. */
export interface GattClient {
  /** ATT MTU: the longest write has three bytes less, and a longer notification is cut. */
  readonly mtu: number;
  /** @throws AttError when the device refuses, LinkLostError when the connection ends first */
  read(characteristic: Characteristic): Promise<Uint8Array>;
  /** Accepted does not mean done. @throws AttError, LinkLostError */
  write(characteristic: Characteristic, bytes: Uint8Array): Promise<void>;
  /**
   * Notifications go to the listener from now on, for as long as the connection lasts. A second listener may be added.
   *
   * @throws AttError, LinkLostError
   */
  subscribe(characteristic: Characteristic, listener: (bytes: Uint8Array) => void): Promise<void>;
  /** Ends all subscriptions to it. @throws AttError, LinkLostError */
  unsubscribe(characteristic: Characteristic): Promise<void>;
}
