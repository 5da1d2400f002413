import type { FleetDevices } from '../fleet/index.ts';
import type { PeerCaller, User } from '../http/caller.ts';
import { ApiError } from '../http/errors.ts';
import type { Serial, Uid } from '../platform/ids.ts';
import type { Who } from './model/command.ts';
import type { QueueOwner } from './store/queue-store.ts';

/**
 * The device of this serial, if it is the user's now.
 *
 * @param how.mayBeStale for what decides nothing, at half the read cost
 * @throws ApiError like for a device that does not exist, whoever has it
 */
export async function ownDevice(
  fleet: FleetDevices,
  uid: Uid,
  serial: Serial,
  how?: { readonly mayBeStale: boolean },
): Promise<QueueOwner> {
  const device = await fleet.find({ hwId: undefined, serial }, how);
  if (device?.owner?.uid !== uid) throw deviceNotFound();
  return { uid, hwId: device.hwId, serial, ownedSince: Date.parse(device.owner.claimedAt) };
}

export function deviceNotFound(): ApiError {
  return new ApiError('device_not_found', 'There is no such device in your account.');
}

/** Who did something, for the audit. */
export function whoIs(caller: User | PeerCaller): Who {
  return caller.kind === 'peer' ? `peer:${caller.peerId}` : 'user';
}
