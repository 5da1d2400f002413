import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';

/** The time zone that the owner's days are in now; undefined if nobody has said one. Loaded on first use. */
export function ownerZone(services: Services): (uid: Uid) => Promise<string | undefined> {
  const settings = once(async () => (await import('./settings/settings-store.ts')).createSettingsStore(services));
  return async (uid) => (await (await settings()).zones(uid)).at(-1)?.zone;
}
