import type { Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import type { ZoneTimeline } from '../rollups/local-day.ts';
import { createGardenItems } from '../store/garden-items.ts';
import { readSettingsItem, settingsItem } from '../store/stored-items.ts';
import { DEVICE_PREFIX, settingsKey } from '../table-keys.ts';

/** More moves than a garden makes. */
export const MOST_ZONES = 50;

/** In whose days an account's garden is counted. */
export interface SettingsStore {
  /** The owner's time zones; none while nobody has said one. */
  zones(uid: Uid): Promise<ZoneTimeline>;
  /** Lets another zone hold from now on; undefined if there are too many already. */
  setZone(uid: Uid, zone: string, now: number): Promise<ZoneTimeline | undefined>;
  remove(uid: Uid): Promise<void>;
}

export function createSettingsStore(services: Pick<Services, 'config' | 'documents' | 'randomness'>): SettingsStore {
  const items = createGardenItems(services);
  const whileOvertaken = createWhileOvertaken(services.randomness);

  const read = async (uid: Uid) => {
    const [item] = await items.read([settingsKey(uid)], { isConsistent: true });
    return readSettingsItem(item);
  };

  /** Days that were counted before anybody said a zone are those of UTC, and stay so. */
  const countedUntil = async (uid: Uid): Promise<ZoneTimeline> => {
    const devices = await items.inRange(settingsKey(uid).partition, DEVICE_PREFIX, `${DEVICE_PREFIX}\uffff`);
    return devices.length === 0 ? [] : [{ since: 0, zone: 'UTC' }];
  };

  return {
    zones: async (uid) => (await read(uid)).timeline ?? [],

    setZone: (uid, zone, now) =>
      whileOvertaken('Telemetry settings', async () => {
        const { timeline, revision } = await read(uid);
        if (timeline?.at(-1)?.zone === zone) return timeline;
        const before = timeline ?? (await countedUntil(uid));
        if (before.length >= MOST_ZONES) return undefined;
        const zones = [...before, { since: before.length === 0 ? 0 : now, zone }];
        return (await items.write(settingsItem(uid, zones, revision))) ? zones : OVERTAKEN;
      }),

    remove: (uid) => items.remove(settingsKey(uid)),
  };
}
