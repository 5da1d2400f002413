import type { Garden } from '../garden.ts';
import { AttError } from './att-error.ts';
import type { Characteristic } from './characteristics.ts';
import type { GattPeer } from './gatt-server.ts';

/** A connection without a radio: what it asks is answered at once, in the garden's own time. */
export interface OpenGatt {
  read(characteristic: Characteristic): Uint8Array;
  write(characteristic: Characteristic, bytes: Uint8Array): void;
  subscribe(characteristic: Characteristic): void;
  unsubscribe(characteristic: Characteristic): void;
  close(): void;
}

/**
 * Connects to a garden directly, for what has to look at thousands of them. Notifications come while the garden's time is
 * advanced. It refuses what a `BleLink` refuses, but knows no distance, no loss and no encryption.
 *
 * @throws AttError from its methods
 */
export function openGatt(garden: Garden, peer: GattPeer): OpenGatt {
  const { gatt } = garden;
  gatt.connect(peer);
  return {
    read: (characteristic) => gatt.read(characteristic),
    write(characteristic, bytes) {
      if (bytes.byteLength > peer.mtu - 3) throw new AttError(0x0d, 'longer than a packet');
      gatt.write(characteristic, bytes);
    },
    subscribe: (characteristic) => gatt.subscribe(characteristic),
    unsubscribe: (characteristic) => gatt.unsubscribe(characteristic),
    close: () => gatt.disconnect(),
  };
}
