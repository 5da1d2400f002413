import type { HwId, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { createErasures } from '../archive/erasures.ts';
import { createReceipts } from '../archive/receipts.ts';
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
  const hadAny = new Set<HwId>([
    ...(await store.devices(uid, { isConsistent: true })).map(({ hwId }) => hwId),
    // An upload that broke off may have stored rows of a device, and nothing else.
    ...(await createReceipts(services).devicesOf(uid)),
  ]);
  for (const hwId of hadAny) await store.removeDevice(uid, hwId);
  await createGardenItems(services).remove(settingsKey(uid));
  await createErasures(services).request(uid, services.clock.now());
}
