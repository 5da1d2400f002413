import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { createErasures } from '../archive/erasures.ts';
import { createGardenItems } from '../store/garden-items.ts';
import { createTelemetryStore } from '../store/telemetry-store.ts';
import { settingsKey } from '../table-keys.ts';

/**
 * Removes everything that an account's devices told, also those it no longer has, and asks the archive to forget it. Each
 * device's own item goes last of it, so that a repetition after a failure finds what is left. From the account's tombstone on
 * nobody stores more.
 */
export async function removeTelemetry(
  services: Pick<Services, 'config' | 'documents' | 'randomness' | 'clock'>,
  uid: Uid,
): Promise<void> {
  const store = createTelemetryStore(services);
  const erasures = createErasures(services);
  const devices = await store.devices(uid, { isConsistent: true });
  const hwIds = devices.map(({ hwId }) => hwId);
  // Before, so that a deletion that breaks off is remembered; and after, as the archive may have read rows meanwhile.
  await erasures.request(uid, hwIds, services.clock.now());
  for (const hwId of hwIds) await store.removeDevice(uid, hwId);
  await createGardenItems(services).remove(settingsKey(uid));
  await erasures.request(uid, hwIds, services.clock.now());
}
