import { isHwId, type Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { StoredAuditEntry } from '../audit/audit.ts';
import { personOf } from './person.ts';
import { createFleetStore, type FleetStore } from './store.ts';
import type { FormerDevice, OwnedDevice } from './stored-items.ts';

/** Everything the fleet stores about one user. */
export interface DeviceRecords {
  readonly devices: readonly OwnedDevice[];
  readonly formerDevices: readonly FormerDevice[];
  /** Audit entries of devices that mention the user. */
  readonly history: readonly {
    readonly hwId: string;
    readonly action: string;
    readonly timestamp: string;
    /** Whether the user did it themselves. */
    readonly byUser: boolean;
  }[];
}

const PAGE = 100;
/** The most entries to search per device; older ones are about a device owned long ago. */
const MOST_PAGES = 10;

/** For an account's data export. */
export function deviceRecordsOf(services: Services): (uid: Uid) => Promise<DeviceRecords> {
  const store = createFleetStore(services);
  return async (uid) => {
    const [devices, formerDevices, history] = await Promise.all([
      allOwned(store, uid),
      store.listFormer(uid),
      historyOf(store, uid),
    ]);
    return { devices, formerDevices, history };
  };
}

async function allOwned(store: FleetStore, uid: Uid): Promise<readonly OwnedDevice[]> {
  const devices: OwnedDevice[] = [];
  let after: string | undefined;
  do {
    const page = await store.listOwned(uid, PAGE, after);
    devices.push(...page.devices);
    after = page.next;
  } while (after !== undefined);
  return devices;
}

async function historyOf(store: FleetStore, uid: Uid): Promise<DeviceRecords['history']> {
  const person = personOf(uid);
  const isThere = ({ actor, before, after }: StoredAuditEntry) =>
    actor === `person:${person}` || before?.owner === person || after.owner === person;
  const history: DeviceRecords['history'][number][] = [];
  for (const hwId of await store.devicesNaming(uid)) {
    if (!isHwId(hwId)) continue;
    let cursor: string | undefined;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const { entries, next } = await store.listAudit(hwId, PAGE, cursor);
      for (const entry of entries.filter(isThere)) {
        const { action, timestamp, actor } = entry;
        history.push({ hwId, action, timestamp, byUser: actor === `person:${person}` });
      }
      if (next === undefined) break;
      cursor = next;
    }
  }
  return history.sort((a, b) => b.timestamp.localeCompare(a.timestamp));
}
