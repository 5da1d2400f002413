import type { HwId, Uid } from '../../platform/ids.ts';
import { monthAfter, monthOf, startOfMonth } from '../rows/periods.ts';
import type { Run } from '../run.ts';
import { EVIDENCE_REACH_MS, runsOf } from '../runs/runs.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';

/** From a moment on until before another one, in milliseconds since 1970. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Whose telemetry of which device. */
export interface Garden {
  readonly uid: Uid;
  readonly hwId: HwId;
}

/** The runs that began in a stretch, the oldest first. They are the same whatever the stretch: see `runsOf`. */
export async function readRuns(
  store: Pick<TelemetryStore, 'evidence'>,
  { uid, hwId }: Garden,
  { from, to }: Stretch,
): Promise<readonly Run[]> {
  if (to <= from) return [];
  const [start, end] = [startOfMonth(monthOf(from)), startOfMonth(monthAfter(monthOf(to - 1)))];
  const evidence = await store.evidence(uid, hwId, start - EVIDENCE_REACH_MS, end + EVIDENCE_REACH_MS);
  return runsOf(evidence).filter(({ startedAt }) => startedAt >= from && startedAt < to);
}
