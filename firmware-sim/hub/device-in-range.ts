import type { BleLink } from '../link/ble-link.ts';
import { realTime, type Scheduler } from '../time/scheduler.ts';
import type { VirtualTime } from '../time/virtual-time.ts';

/** How radio time passes for a hub whose network is real. */
export interface Air {
  readonly time: Scheduler;
  /** Runs work on the radio. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Runs real work, such as a request, from within work on the radio. */
  outside<T>(work: () => Promise<T>): Promise<T>;
}

export const realAir: Air = { time: realTime, run: (work) => work(), outside: (work) => work() };

/** A minute of radio takes a moment. */
export function virtualAir(time: VirtualTime): Air {
  return { time, run: (work) => time.run(work), outside: (work) => time.outside(work) };
}

/** A device that the hub's radio can see, with the one link that it has. */
export interface DeviceInRange {
  readonly hwId: string;
  readonly link: BleLink;
  readonly air: Air;
}
