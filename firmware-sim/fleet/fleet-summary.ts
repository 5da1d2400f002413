import type { DeviceRecord } from './run-fleet.ts';

/** Milliseconds of simulated time: median, 90th percentile and maximum. */
export interface Durations {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly max: number;
}

export interface FleetSummary {
  readonly devices: number;
  /** Simulated time from the first visit to the last event. */
  readonly simulatedMs: number;
  /** Devices by the outcome of their last visit. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The same by fate. */
  readonly fates: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** The same by the phone's app. */
  readonly profiles: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly versions: {
    readonly before: Readonly<Record<string, number>>;
    readonly after: Readonly<Record<string, number>>;
  };
  readonly visits: number;
  readonly reconnects: number;
  readonly phases: Readonly<Record<string, Durations>>;
  /** Duration of complete updates that were confirmed at the first visit, by kind of phone and app. */
  readonly updates: Readonly<Record<string, Durations>>;
  /** Devices by version over simulated time. */
  readonly timeline: readonly { readonly atMs: number; readonly versions: Readonly<Record<string, number>> }[];
}

const MOMENTS = 60;

/** Summarizes the run of a fleet. */
export function summarizeFleet(records: readonly DeviceRecord[]): FleetSummary {
  const visits = records.flatMap((record) => record.visits);
  const simulatedMs = visits.reduce((latest, { endMs }) => Math.max(latest, endMs), 0);
  return {
    devices: records.length,
    simulatedMs,
    outcomes: tally(records.map(outcomeOf)),
    fates: outcomesBy(records, ({ fate }) => fate),
    profiles: outcomesBy(records, ({ profile }) => profile),
    versions: {
      before: tally(records.map(({ fromVersion }) => fromVersion)),
      after: tally(records.map(({ endVersion }) => endVersion)),
    },
    visits: visits.length,
    reconnects: visits.reduce((sum, { reconnects }) => sum + reconnects, 0),
    phases: durationsBy(visits.flatMap(({ phases }) => phases.map(({ phase, ms }) => [phase, ms] as const))),
    updates: durationsBy(
      records.flatMap(({ phone, profile, visits: [only, ...others] }) =>
        only?.outcome === 'confirmed' && others.length === 0
          ? [[profile === 'own' ? phone : `${phone}, ${profile}`, only.endMs - only.startMs] as const]
          : [],
      ),
    ),
    timeline: timeline(records, simulatedMs),
  };
}

function outcomeOf(record: DeviceRecord): string {
  return record.visits.at(-1)?.outcome ?? 'never_visited';
}

function outcomesBy(records: readonly DeviceRecord[], keyOf: (record: DeviceRecord) => string) {
  const keys = [...new Set(records.map(keyOf))].sort();
  return Object.fromEntries(
    keys.map((key) => [key, tally(records.filter((record) => keyOf(record) === key).map(outcomeOf))]),
  );
}

function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of [...values].sort()) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

function durationsBy(entries: readonly (readonly [key: string, ms: number])[]): Record<string, Durations> {
  const groups = new Map<string, number[]>();
  for (const [key, ms] of entries) {
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [ms]);
    else group.push(ms);
  }
  return Object.fromEntries([...groups].map(([key, all]) => [key, durations(all)]));
}

function durations(all: readonly number[]): Durations {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
  return { count: sorted.length, p50: at(0.5), p90: at(0.9), max: at(1) };
}

function timeline(records: readonly DeviceRecord[], simulatedMs: number): FleetSummary['timeline'] {
  return Array.from({ length: MOMENTS + 1 }, (_, i) => {
    const atMs = Math.round((simulatedMs * i) / MOMENTS);
    const versionAt = ({ updatedAtMs, fromVersion, endVersion }: DeviceRecord) =>
      updatedAtMs !== undefined && updatedAtMs <= atMs ? endVersion : fromVersion;
    return { atMs, versions: tally(records.map(versionAt)) };
  });
}
