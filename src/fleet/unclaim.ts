import type { HwId, Serial, Uid } from '../platform/ids.ts';
import type { FleetStore } from './store.ts';

export type UnclaimOutcome =
  | { readonly outcome: 'unclaimed'; readonly hwId: HwId }
  | { readonly outcome: 'not_owned' | 'not_active' };

/** Gives a device back, so that it leaves the owner's list and anybody may claim it. */
export async function unclaimDevice(
  store: FleetStore,
  request: { readonly serial: Serial; readonly reason: string | undefined },
  uid: Uid,
  now: number,
): Promise<UnclaimOutcome> {
  // An unknown serial and somebody else's device look the same to a stranger.
  const owned = await store.readOwned(uid, request.serial);
  if (owned === undefined) return { outcome: 'not_owned' };
  const release = await store.release(owned, uid, request.reason, now);
  if (release.released) return { outcome: 'unclaimed', hwId: owned.hwId };
  return { outcome: release.device?.owner?.uid === uid ? 'not_active' : 'not_owned' };
}

const PAGE = 50;

/** Gives back every device of a user whose account goes. Can be repeated; what is gone is gone. */
export async function releaseAllDevices(store: FleetStore, uid: Uid, now: number): Promise<void> {
  for (;;) {
    const { devices } = await store.listOwned(uid, PAGE, undefined);
    if (devices.length === 0) return;
    for (const owned of devices) {
      const release = await store.release(owned, uid, 'account_deleted', now);
      if (release.released) continue;
      if (release.device?.owner?.uid === uid) throw new Error(`device ${owned.serial} could not be released`);
      await store.dropOwned(uid, owned.serial);
    }
  }
}
