import { readDays, wholeDays } from '../reading/read-days.ts';
import type { Garden, Stretch } from '../reading/read-runs.ts';
import { monthAfter, monthOf, startOfMonth } from '../rows/periods.ts';
import { EVIDENCE_REACH_MS, runsOf } from '../runs/runs.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';
import type { Observed } from './observed.ts';

const DAY_MS = 24 * 60 * 60_000;
/** What a device did in this time before the stretch is what it is compared with. */
export const LOOK_BACK_MS = 60 * DAY_MS;

/** Reads what insights of a stretch are drawn from: eight queries, of whole records. */
export async function readObserved(
  store: TelemetryStore,
  { uid, hwId }: Garden,
  { from, to }: Stretch,
): Promise<Observed> {
  const start = Math.max(0, from - LOOK_BACK_MS);
  const rows = (kind: Parameters<TelemetryStore['measurements']>[2]) => store.measurements(uid, hwId, kind, start, to);
  const zones = await store.zones(uid);
  const [firstMonth, lastMonth] = [startOfMonth(monthOf(start)), startOfMonth(monthAfter(monthOf(to)))];
  const [evidence, rolledUp, readings, rainHours, rainDays, weatherHours, weatherDays] = await Promise.all([
    store.evidence(uid, hwId, firstMonth - EVIDENCE_REACH_MS, lastMonth + EVIDENCE_REACH_MS),
    readDays(store, { uid, hwId }, zones, wholeDays(zones, { from: start, to: to + 1 }, 'day')),
    store.readings(uid, hwId, start, to),
    rows('rain_hourly'),
    rows('rain_daily'),
    rows('environment_hourly'),
    rows('environment_daily'),
  ]);
  const isWithin = ({ at }: { readonly at: number }) => at >= start && at <= to;
  return {
    ...{ from, to, zones, readings, rainHours, rainDays, weatherHours, weatherDays },
    runs: runsOf(evidence).filter(({ startedAt }) => startedAt >= start && startedAt <= to),
    wateringRows: evidence.rows.filter(isWithin),
    reboots: evidence.reboots.filter((at) => at >= start && at <= to),
    days: rolledUp.days,
  };
}
