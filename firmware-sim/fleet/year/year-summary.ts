import type { DeviceYear } from './live-year.ts';

/** A fleet's years, as they were generated. */
export interface YearSummary {
  readonly devices: number;
  readonly days: number;
  readonly habits: Readonly<Record<string, number>>;
  readonly visits: number;
  /** Rows that phones read, the same ones again included. */
  readonly rows: number;
  readonly runs: number;
  readonly runsByEnd: Readonly<Record<string, number>>;
  readonly sessions: number;
  readonly watched: { readonly runs: number; readonly saidMl: number; readonly trueMl: number };
  readonly alarms: { readonly raised: number; readonly relayed: number };
  readonly planted: Readonly<Record<string, { readonly planted: number; readonly leftEvidence: number }>>;
  /** Questions about history that devices did not answer. */
  readonly failures: number;
}

export const NO_YEARS: YearSummary = {
  ...{ devices: 0, days: 0, habits: {}, visits: 0, rows: 0, runs: 0, runsByEnd: {}, sessions: 0 },
  ...{ watched: { runs: 0, saidMl: 0, trueMl: 0 }, alarms: { raised: 0, relayed: 0 }, planted: {}, failures: 0 },
};

export function summaryOf(year: DeviceYear): YearSummary {
  const planted: Record<string, { planted: number; leftEvidence: number }> = {};
  for (const { fault, hasLeftEvidence } of year.planted) {
    const known = planted[fault.kind] ?? { planted: 0, leftEvidence: 0 };
    planted[fault.kind] = {
      planted: known.planted + 1,
      leftEvidence: known.leftEvidence + (hasLeftEvidence ? 1 : 0),
    };
  }
  const runsByEnd: Record<string, number> = {};
  for (const { end } of year.runs) runsByEnd[end] = (runsByEnd[end] ?? 0) + 1;
  return {
    ...{ devices: 1, days: year.days, habits: { [year.habit]: 1 }, visits: year.visits, rows: year.rows },
    ...{ runs: year.runs.length, runsByEnd, sessions: year.sessions.length, planted, failures: year.failures },
    watched: {
      runs: year.watched.length,
      saidMl: year.watched.reduce((sum, { saidMl }) => sum + saidMl, 0),
      trueMl: year.watched.reduce((sum, { trueMl }) => sum + trueMl, 0),
    },
    alarms: { raised: year.alarmsRaised, relayed: year.alarmsRelayed },
  };
}

/** Puts two parts of a fleet together, in any order. */
export function joinSummaries(one: YearSummary, other: YearSummary): YearSummary {
  const planted: Record<string, { planted: number; leftEvidence: number }> = {};
  for (const [kind, counts] of [...Object.entries(one.planted), ...Object.entries(other.planted)]) {
    const known = planted[kind] ?? { planted: 0, leftEvidence: 0 };
    planted[kind] = {
      planted: known.planted + counts.planted,
      leftEvidence: known.leftEvidence + counts.leftEvidence,
    };
  }
  return {
    ...{ devices: one.devices + other.devices, days: Math.max(one.days, other.days), planted },
    ...{ habits: added(one.habits, other.habits), runsByEnd: added(one.runsByEnd, other.runsByEnd) },
    ...{ visits: one.visits + other.visits, rows: one.rows + other.rows, runs: one.runs + other.runs },
    ...{ sessions: one.sessions + other.sessions, failures: one.failures + other.failures },
    watched: {
      runs: one.watched.runs + other.watched.runs,
      saidMl: one.watched.saidMl + other.watched.saidMl,
      trueMl: one.watched.trueMl + other.watched.trueMl,
    },
    alarms: {
      raised: one.alarms.raised + other.alarms.raised,
      relayed: one.alarms.relayed + other.alarms.relayed,
    },
  };
}

function added(one: Readonly<Record<string, number>>, other: Readonly<Record<string, number>>) {
  const sum: Record<string, number> = { ...one };
  for (const [key, count] of Object.entries(other)) sum[key] = (sum[key] ?? 0) + count;
  return Object.fromEntries(Object.entries(sum).sort(([a], [b]) => (a < b ? -1 : 1)));
}
