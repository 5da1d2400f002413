import type { HwId, Serial, Uid } from '../../platform/ids.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Device } from '../device/device.ts';
import { type Transition, transition } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';

export type UnclaimOutcome =
  | { readonly outcome: 'unclaimed'; readonly hwId: HwId }
  | { readonly outcome: 'not_owned' | 'not_active' };

/** Releases a device: it leaves the owner's list and can be claimed again. */
export async function unclaimDevice(
  store: FleetStore,
  request: { readonly serial: Serial; readonly reason: string | undefined },
  uid: Uid,
  now: number,
): Promise<UnclaimOutcome> {
  return store.whileOvertaken(`The unclaim of ${request.serial}`, async () => {
    // An unknown serial and somebody else's device look the same to a stranger.
    const owned = await store.readOwned(uid, request.serial);
    const device = owned === undefined ? undefined : await store.readDevice(owned.hwId);
    if (device === undefined || device.owner?.uid !== uid) return { outcome: 'not_owned' };
    if (device.status !== 'active') return { outcome: 'not_active' };
    const release = await store.commit(releasing(device, uid, request.reason), undefined, now);
    return release.written ? { outcome: 'unclaimed', hwId: device.hwId } : OVERTAKEN;
  });
}

function releasing(device: Device, uid: Uid, reason: string | undefined): Transition {
  return transition(
    device,
    { status: device.status, owner: null },
    { action: 'unclaim', actor: { kind: 'user', uid }, reason },
  );
}

const PAGE = 50;

/** Releases every device of a user whose account is being deleted. Safe to repeat. */
export async function releaseAllDevices(store: FleetStore, uid: Uid, now: number): Promise<void> {
  for (;;) {
    const { devices } = await store.listOwned(uid, PAGE, undefined);
    if (devices.length === 0) break;
    for (const owned of devices) {
      const device = await store.readDevice(owned.hwId);
      // No longer theirs: the entry was left by an interrupted step under an earlier layout.
      if (device?.owner?.uid !== uid) await store.dropOwned(uid, owned.serial);
      else await store.commit(releasing(device, uid, 'account_deleted'), undefined, now);
    }
  }
  await store.forgetPerson(uid);
}
