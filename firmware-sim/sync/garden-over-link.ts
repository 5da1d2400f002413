import type { BleTransport } from '../link/ble-link.ts';
import { LinkLostError } from '../link/transport.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { GardenReach } from './garden-reach.ts';

/**
 * Reaches a garden over a radio link.
 *
 * @param now the clock of the phone or hub, in milliseconds since 1970
 * @returns undefined if the device has no garden
 */
export function gardenOverLink(transport: BleTransport, time: Scheduler, now: () => number): GardenReach | undefined {
  const { gatt } = transport;
  if (gatt === undefined) return undefined;
  let isLost = false;
  const waiting = new Set<() => void>();
  transport.onClose(() => {
    isLost = true;
    for (const lost of waiting) lost();
  });
  return {
    ...{ gatt, now },
    wait: (ms, answer) =>
      new Promise((resolve, reject) => {
        const end = (how: () => void) => () => {
          timer.cancel();
          waiting.delete(lost);
          how();
        };
        const lost = end(() => reject(new LinkLostError('the connection was lost')));
        const timer = time.after(ms, end(resolve));
        waiting.add(lost);
        if (isLost) lost();
        else answer?.onArrival(end(resolve));
      }),
  };
}
