import type { Garden } from '../garden/garden.ts';
import type { Characteristic } from '../garden/gatt/characteristics.ts';
import type { GattClient } from '../garden/gatt/gatt-client.ts';
import { openGatt } from '../garden/gatt/open-gatt.ts';
import { LinkLostError } from '../link/transport.ts';
import type { Expected, GardenReach } from './garden-reach.ts';

/** What a request takes on a usual radio: two connection intervals. */
const REQUEST_MS = 30;

export interface GardenAtHand extends GardenReach {
  /** Ends the connection, if the device has not. */
  close(): void;
}

/** Reaches a garden without a radio, in the garden's own time: for fleets, in which a radio would take too long. */
export function gardenAtHand(garden: Garden, mtu: number): GardenAtHand {
  const listeners = new Map<Characteristic, ((bytes: Uint8Array) => void)[]>();
  let isOpen = true;
  const open = openGatt(garden, {
    mtu,
    notify(characteristic, bytes) {
      const copy = bytes.slice();
      for (const listener of listeners.get(characteristic) ?? []) listener(copy);
    },
  });
  const assertOpen = () => {
    if (!isOpen || !garden.gatt.isConnected) throw new LinkLostError('the device is gone');
  };
  const ask = async <T>(work: () => T): Promise<T> => {
    garden.advanceTo(garden.now + REQUEST_MS);
    assertOpen();
    return work();
  };
  const gatt: GattClient = {
    mtu,
    read: (characteristic) => ask(() => open.read(characteristic).slice()),
    write: (characteristic, bytes) => ask(() => open.write(characteristic, bytes)),
    subscribe: (characteristic, listener) =>
      ask(() => {
        listeners.set(characteristic, [...(listeners.get(characteristic) ?? []), listener]);
        open.subscribe(characteristic);
      }),
    unsubscribe: (characteristic) =>
      ask(() => {
        listeners.delete(characteristic);
        open.unsubscribe(characteristic);
      }),
  };
  return {
    gatt,
    now: () => garden.now,
    async wait(ms: number, answer?: Expected<unknown>) {
      const until = garden.now + ms;
      while (answer?.value === undefined && garden.now < until && garden.gatt.isConnected) {
        garden.advanceTo(Math.min(garden.nextAt, until));
      }
      assertOpen();
    },
    close() {
      if (isOpen && garden.gatt.isConnected) open.close();
      isOpen = false;
    },
  };
}
