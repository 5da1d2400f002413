export type { Evidence, Reading, ReadingKind, Row, RowKind, WatchedSession } from './evidence.ts';
export type { Ingested, OnIngested } from './ingest/ingest.ts';
export { type ZoneTimeline, zoneAt } from './rollups/local-day.ts';
export { type Month, monthAfter, monthOf, startOfMonth } from './rows/periods.ts';
export type { Run, RunOutcome } from './run.ts';
export type { DeviceState, MeasurementKind } from './store/device-state.ts';
export { isRestartedBetween } from './store/device-state.ts';
export { createTelemetryStore, type StoredRollUp, type TelemetryStore } from './store/telemetry-store.ts';
export { isTimeZone } from './time-zone.ts';
