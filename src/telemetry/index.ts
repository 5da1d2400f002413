import type { Uid } from '../platform/ids.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import type { TelemetryRecords } from './account/telemetry-records.ts';

export type { Evidence, Reading, ReadingKind, Row, RowKind, WatchedSession } from './evidence.ts';
export { alarmDays } from './health/alarm-days.ts';
export type { Ingested, OnIngested } from './ingest/ingest.ts';
export { ownerZone } from './owner-zone.ts';
export { type ZoneTimeline, zoneAt } from './rollups/local-day.ts';
export { type Month, monthAfter, monthOf, startOfMonth } from './rows/periods.ts';
export type { Run, RunOutcome } from './run.ts';
export type { DeviceState, MeasurementKind } from './store/device-state.ts';
export { isRestartedBetween } from './store/device-state.ts';
export { createTelemetryStore, type StoredRollUp, type TelemetryStore } from './store/telemetry-store.ts';
export { isTimeZone } from './time-zone.ts';
export type { TelemetryRecords };

/** What an account's deletion and export do about telemetry. */
export interface TelemetryAccounts {
  /** Removes all telemetry of an account that is being deleted. Can be repeated after any failure. */
  remove(uid: Uid): Promise<void>;
  /** What devices told, decoded, up to about 1.5 MB. */
  read(uid: Uid): Promise<TelemetryRecords>;
}

/** Loaded on first use: most requests of an account need nothing of telemetry. */
export function telemetryAccounts(services: Services): TelemetryAccounts {
  const removing = once(() => import('./account/remove-telemetry.ts'));
  const reading = once(async () => {
    const [{ readTelemetry }, { createTelemetryStore }] = await Promise.all([
      import('./account/telemetry-records.ts'),
      import('./store/telemetry-store.ts'),
    ]);
    const store = createTelemetryStore(services);
    return (uid: Uid) => readTelemetry(store, uid, services.clock.now());
  });
  return {
    remove: async (uid) => (await removing()).removeTelemetry(services, uid),
    read: async (uid) => (await reading())(uid),
  };
}
