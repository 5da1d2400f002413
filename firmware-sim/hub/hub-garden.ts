import { LinkLostError } from '../link/transport.ts';
import { gardenOverLink } from '../sync/garden-over-link.ts';
import { EMPTY_SYNC_RECORD, type GardenSync, type SyncMemory, type SyncOutcome } from '../sync/garden-sync.ts';
import type { DeviceInRange } from './device-in-range.ts';
import type { KeptRecord } from './hub-memory.ts';

/** Cursors and unsent uploads, in the hub's memory. */
export function hubSyncMemory(record: KeptRecord): SyncMemory {
  return {
    get now() {
      return record.now.sync ?? EMPTY_SYNC_RECORD;
    },
    change: (how) => record.change(({ sync }) => ({ sync: how(sync ?? EMPTY_SYNC_RECORD) })),
  };
}

export interface HubGardenVisit {
  readonly device: DeviceInRange;
  readonly serial: string;
  readonly sync: GardenSync;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal: AbortSignal;
  /** Whether the hub has something else to do than to watch a run. */
  readonly isNeeded: () => boolean;
}

const WATCHED_AT_MOST_MS = 2 * 60 * 60 * 1000;
const LOOK_EVERY_MS = 1_000;

/**
 * Reads a device's garden and watches the run that goes on, until a phone comes near or the hub is needed elsewhere.
 *
 * @returns undefined if the device has no garden, or is out of reach
 */
export async function syncAsHub(options: HubGardenVisit): Promise<SyncOutcome | undefined> {
  const { device, serial, sync, now, signal, isNeeded } = options;
  const { link, air } = device;
  return air.run(async () => {
    let hasPhone = false;
    let hangUp = () => {};
    const stopHearing = link.onPhoneNear(() => {
      hasPhone = true;
      hangUp();
    });
    const cut = () => hangUp();
    signal.addEventListener('abort', cut, { once: true });
    try {
      const transport = await link.connect('hub');
      hangUp = () => transport.close();
      const reach = gardenOverLink(transport, air.time, now);
      if (reach === undefined || signal.aborted) return undefined;
      const until = reach.now() + WATCHED_AT_MOST_MS;
      return await sync.visit({
        ...{ serial, reach },
        async stay(watch) {
          while (watch.isRunning && !hasPhone && !isNeeded() && reach.now() < until) await reach.wait(LOOK_EVERY_MS);
        },
      });
    } catch (error) {
      if (error instanceof LinkLostError) return undefined;
      throw error;
    } finally {
      hangUp();
      stopHearing();
      signal.removeEventListener('abort', cut);
    }
  });
}
