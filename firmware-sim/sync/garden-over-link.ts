import type { BleTransport } from '../link/ble-link.ts';
import { LinkLostError } from '../link/transport.ts';
import type { Scheduler } from '../time/scheduler.ts';
import type { GardenReach } from './garden-reach.ts';

/**
 * Reaches a garden over a radio link. Its clock runs with the radio's time, which may be virtual.
 *
 * @param now what the clock of the phone or hub shows at this moment, in milliseconds since 1970
 * @returns undefined if the device has no garden
 */
export function gardenOverLink(transport: BleTransport, time: Scheduler, now: () => number): GardenReach | undefined {
  const { gatt } = transport;
  if (gatt === undefined) return undefined;
  const ahead = now() - time.now();
  let isLost = false;
  const waiting = new Set<() => void>();
  transport.onClose(() => {
    isLost = true;
    for (const lost of waiting) lost();
  });
  return {
    ...{ gatt, now: () => ahead + time.now() },
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
