import type { ReleaseVersion } from '@autowatering/release-format';
import { isoTime } from '../../platform/clock.ts';
import type { Actor } from '../audit/audit.ts';
import type { Device, SeenFirmware } from '../device/device.ts';
import { transition } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';

/** Whether a version, board or batch can be part of an index and of a count's name. */
export function isIndexable(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/.test(text);
}

/** More changes of one device in a day are no updates; they would only fill its audit and the counts. */
const MOST_CHANGES_A_DAY = 20;
const TRIES = 2;

/**
 * Records a device's firmware when it is new, whether it came from our update, by cable or from the factory. After a
 * concurrent change the device is read and tried once more.
 *
 * @param seen the device as the caller knows it, possibly slightly outdated
 */
export async function recordFirmware(
  store: Pick<FleetStore, 'commit'>,
  seen: Device,
  version: ReleaseVersion,
  actor: Actor,
  now: number,
): Promise<void> {
  let device: Device | undefined = seen;
  for (let attempt = 0; attempt < TRIES && device !== undefined; attempt += 1) {
    const firmware = changedFirmware(device, version, now);
    if (firmware === undefined) return;
    const facts = { from: device.firmware?.version ?? 'unknown', to: version };
    const step = transition(
      device,
      { status: device.status, owner: device.owner?.uid ?? null },
      { action: 'firmware_changed', actor, reason: undefined, facts },
      { changes: { firmware } },
    );
    const write = await store.commit(step, undefined, now);
    if (write.written) return;
    device = write.account === 'alive' ? write.device : undefined;
  }
}

/** Undefined when nothing is new, or the device has changed too often today. */
function changedFirmware({ firmware }: Device, version: ReleaseVersion, now: number): SeenFirmware | undefined {
  const seenAt = isoTime(now);
  if (firmware?.version === version) return undefined;
  const isSameDay = firmware !== null && firmware.seenAt.slice(0, 10) === seenAt.slice(0, 10);
  const changes = isSameDay ? firmware.changesThatDay : 0;
  return changes < MOST_CHANGES_A_DAY ? { version, seenAt, changesThatDay: changes + 1 } : undefined;
}
