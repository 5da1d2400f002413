import { LinkLostError } from '../../link/transport.ts';
import type { Garden } from '../garden.ts';
import { ATT, AttError } from './att-error.ts';
import type { Characteristic } from './characteristics.ts';
import type { GattPeer } from './gatt-server.ts';

const ATT_HEADER = 3;

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
 * advanced. It refuses what a `BleLink` refuses, but knows no distance, no loss and no encryption. Its methods throw
 * AttError when the device refuses, LinkLostError once the device has restarted.
 *
 * @throws LinkLostError while the device has no power, or another phone is connected
 */
export function openGatt(garden: Garden, peer: GattPeer): OpenGatt {
  const { gatt } = garden;
  if (!garden.isOn) throw new LinkLostError('the device does not advertise');
  if (gatt.isConnected) throw new LinkLostError('another phone is connected');
  gatt.connect(peer);
  const open = () => {
    if (!gatt.isConnectedTo(peer)) throw new LinkLostError('the connection was lost');
    return gatt;
  };
  return {
    read: (characteristic) => open().read(characteristic),
    write(characteristic, bytes) {
      if (bytes.byteLength > peer.mtu - ATT_HEADER) throw new AttError(ATT.invalid_length, 'longer than a packet');
      open().write(characteristic, bytes);
    },
    subscribe: (characteristic) => open().subscribe(characteristic),
    unsubscribe: (characteristic) => open().unsubscribe(characteristic),
    close() {
      if (gatt.isConnectedTo(peer)) gatt.disconnect();
    },
  };
}
