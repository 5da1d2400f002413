import { FAULT_NAMES, type FaultName, type PlantedFault } from '../../garden/world/planted-fault.ts';
import type { DeviceYear, PlantedRecord } from './live-year.ts';

/** What the backend says of a device, as far as it says that something is wrong. Times are milliseconds since 1970. */
export interface SaidInsight {
  readonly kind: string;
  /** Null if it is about the whole device, or the zone is not known. */
  readonly channel: number | null;
  readonly since: number;
  /** Null while it goes on. */
  readonly until: number | null;
}

/** Kinds of insights that say that something is broken. The others tell of weather, use and habits. */
const FAULT_INSIGHTS: readonly string[] = [
  ...['leak', 'no_flow', 'lock', 'high_use', 'flat_line', 'silent_sensor', 'clock_lost', 'interrupted'],
];

/** By which of them a fault is found: whoever reads one knows what to look at. */
const FINDS: Readonly<Record<FaultName, readonly string[]>> = {
  leak: ['leak', 'high_use'],
  valve_stuck_open: ['leak', 'high_use'],
  valve_stuck_closed: ['no_flow'],
  empty_tank: ['no_flow'],
  frozen_pipe: ['no_flow'],
  dead_sensor: ['silent_sensor'],
  // Frost is what the device fears then. It is no frost.
  stale_sensor: ['silent_sensor'],
  flat_line: ['flat_line'],
  lost_clock: ['clock_lost'],
  reboots_in_mid_run: ['interrupted'],
};

/** What else a fault brings about in the device, which is no false alarm. Nothing that only happens at the same time. */
const BRINGS_ABOUT: Readonly<Partial<Record<FaultName, readonly string[]>>> = {
  leak: ['lock'],
  valve_stuck_open: ['lock'],
  valve_stuck_closed: ['lock'],
  empty_tank: ['lock'],
  frozen_pipe: ['lock'],
};

const DAY_MS = 24 * 60 * 60 * 1000;

/** Planted faults by how they were found, and what was found where nothing was planted. */
export interface Confusion {
  readonly deviceYears: number;
  readonly planted: Readonly<Record<string, number>>;
  /** Of those that left anything that a phone could bring. */
  readonly leftEvidence: Readonly<Record<string, number>>;
  readonly found: Readonly<Record<string, number>>;
  /** By fault, then by the kinds of insights that came of it. */
  readonly matrix: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** By kind of insight. */
  readonly falseAlarms: Readonly<Record<string, number>>;
  /** Serials of devices whose fault left evidence and was not found, or that had a false alarm; at most fifty. */
  readonly worthALook: readonly string[];
}

export function confusionOf(
  devices: readonly { readonly year: DeviceYear; readonly insights: readonly SaidInsight[] }[],
): Confusion {
  const planted: Record<string, number> = {};
  const leftEvidence: Record<string, number> = {};
  const found: Record<string, number> = {};
  const matrix: Record<string, Record<string, number>> = {};
  const falseAlarms: Record<string, number> = {};
  const worthALook: string[] = [];
  const add = (counts: Record<string, number>, key: string) => {
    counts[key] = (counts[key] ?? 0) + 1;
  };
  for (const { year, insights } of devices) {
    const own = insights.filter(({ kind }) => FAULT_INSIGHTS.includes(kind));
    for (const record of year.planted) {
      const { kind } = record.fault;
      const row = matrix[kind] ?? {};
      matrix[kind] = row;
      add(planted, kind);
      if (!record.hasLeftEvidence) continue;
      add(leftEvidence, kind);
      const during = insights.filter((insight) => isDuring(insight, record));
      const isFound = during.some((insight) => finds(insight, record));
      if (isFound) add(found, kind);
      else worthALook.push(`${year.serial}: ${kind} missed`);
      const kinds = new Set(during.map((insight) => insight.kind).filter((one) => FAULT_INSIGHTS.includes(one)));
      for (const one of kinds) add(row, one);
      if (kinds.size === 0) add(row, 'nothing');
    }
    for (const insight of own) {
      if (year.planted.some((record) => isDuring(insight, record) && isExplained(insight, record))) continue;
      add(falseAlarms, insight.kind);
      worthALook.push(`${year.serial}: ${insight.kind} of nothing`);
    }
  }
  const deviceYears = devices.reduce((sum, { year }) => sum + year.days, 0) / 365;
  return {
    ...{ deviceYears, planted: inOrder(planted), leftEvidence: inOrder(leftEvidence), found: inOrder(found) },
    ...{ matrix: inOrder(matrix), falseAlarms, worthALook: worthALook.slice(0, 50) },
  };
}

/**
 * An insight begins with the first evidence: during the fault, or when a phone saw what it had left. One that was there
 * before is of something else, however long it lasts; a day's row may begin a day earlier.
 */
function isDuring({ since }: SaidInsight, { fault, overBy }: PlantedRecord): boolean {
  return since >= fault.from - DAY_MS && since <= overBy;
}

function finds({ kind, channel }: SaidInsight, { fault }: PlantedRecord): boolean {
  return FINDS[fault.kind].includes(kind) && isOfItsZone(channel, fault);
}

function isExplained(insight: SaidInsight, record: PlantedRecord): boolean {
  const { fault } = record;
  const follows = BRINGS_ABOUT[fault.kind]?.includes(insight.kind) === true && isOfItsZone(insight.channel, fault);
  return follows || finds(insight, record);
}

/** A zone that stays shut is told of as that zone. Water of an open one is seen in the runs of others. */
function isOfItsZone(channel: number | null, fault: PlantedFault): boolean {
  return channel === null || fault.kind !== 'valve_stuck_closed' || channel === fault.zone;
}

function inOrder<T>(counts: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(FAULT_NAMES.flatMap((name) => (counts[name] === undefined ? [] : [[name, counts[name]]])));
}

/** A run as the backend tells of it. */
export interface SaidRun {
  readonly channel: number;
  readonly startedAt: number;
  readonly outcome: string;
  readonly isClockLost: boolean;
  readonly volume: { readonly basis: string; readonly millilitres: number | null; readonly isMinimum: boolean };
}

export interface ComparedLitres {
  readonly runs: number;
  readonly saidMl: number;
  readonly trueMl: number;
  /** How far each run is off, without its sign: in the sums, too much and too little make up for each other. */
  readonly offMl: number;
}

/** How the litres that are said compare with the model's truth. */
export interface SaidLitres {
  readonly watched: ComparedLitres;
  /** Nobody watched: by the device's litres, or the zone's usual flow. */
  readonly estimated: ComparedLitres;
  readonly unknown: number;
  /** Measured, though nobody watched, or nothing ran. There is no such thing. */
  readonly invented: number;
  readonly outcomes: Readonly<Record<string, number>>;
}

const CLOCKS_APART_MS = 2 * 60_000;

export function litresOf(
  devices: readonly { readonly year: DeviceYear; readonly runs: readonly SaidRun[] }[],
): SaidLitres {
  const watched = { runs: 0, saidMl: 0, trueMl: 0, offMl: 0 };
  const estimated = { runs: 0, saidMl: 0, trueMl: 0, offMl: 0 };
  const outcomes: Record<string, number> = {};
  let [unknown, invented] = [0, 0];
  for (const { year, runs } of devices) {
    for (const { channel, startedAt, outcome, volume, isClockLost } of runs) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (outcome === 'skipped' || isClockLost) continue;
      const isNear = (at: number) => Math.abs(at - startedAt) <= CLOCKS_APART_MS;
      const real = year.runs.find((run) => run.zone === channel && isNear(run.startedAt));
      const isWatched = year.sessions.some(
        (session) =>
          session.channel === channel &&
          session.startedAt >= startedAt - CLOCKS_APART_MS &&
          session.startedAt <= (real?.endedAt ?? startedAt) + CLOCKS_APART_MS,
      );
      if (volume.basis === 'unknown') unknown += 1;
      if (volume.basis === 'measured' && (!isWatched || real === undefined)) invented += 1;
      if (volume.millilitres === null || volume.isMinimum || real === undefined) continue;
      const sum = volume.basis === 'measured' ? watched : estimated;
      sum.runs += 1;
      sum.saidMl += volume.millilitres;
      sum.trueMl += real.meteredMl;
      sum.offMl += Math.abs(volume.millilitres - real.meteredMl);
    }
  }
  return { watched, estimated, unknown, invented, outcomes };
}
