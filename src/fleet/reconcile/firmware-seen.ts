import type { ReleaseVersion } from '@autowatering/release-format';
import type { Allow } from '../../http/checks/rate-limit.ts';
import { ApiError } from '../../http/errors.ts';
import { isoTime } from '../../platform/clock.ts';
import type { Actor } from '../audit/audit.ts';
import type { Device } from '../device/device.ts';
import { transition } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';

/** Whether a version, a board or a batch can stand in an index and in the name of a count. */
export function isIndexable(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/.test(text);
}

/** More changes of one device in a day are no updates: they would only fill its audit, and the counts. */
const CHANGES = { requests: 20, windowSeconds: 24 * 60 * 60 } as const;

/**
 * Records what a device runs when that is news, however it got there: by an update of ours, by cable, or at the
 * factory. When something else happens to the device at this very moment, the next time it is seen will do.
 */
export async function recordFirmware(
  { store, allow }: { readonly store: Pick<FleetStore, 'commit'>; readonly allow: Allow },
  device: Device,
  version: ReleaseVersion,
  actor: Actor,
  now: number,
): Promise<void> {
  if (device.firmware?.version === version || !(await mayChange(allow, device))) return;
  const facts = { from: device.firmware?.version ?? 'unknown', to: version };
  const step = transition(
    device,
    { status: device.status, owner: device.owner?.uid ?? null },
    { action: 'firmware_changed', actor, reason: undefined, facts },
    { changes: { firmware: { version, seenAt: isoTime(now) } } },
  );
  await store.commit(step, undefined, now);
}

async function mayChange(allow: Allow, { hwId }: Device): Promise<boolean> {
  try {
    await allow('firmware seen', CHANGES, `device:${hwId}`);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'rate_limited') return false;
    throw error;
  }
}
