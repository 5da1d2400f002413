import {
  Alarm,
  EnvironmentalData,
  EnvironmentHourly,
  FIRST_TRUSTED_EPOCH_S,
  FlowSensor,
  HydraulicStatus,
  type Read,
  ValveControl,
} from '@autowatering/device-data';
import type { FaultName, PlantedFault } from '../../garden/world/planted-fault.ts';
import type { GatheredRead, GatheredReading, GatheredSession, Gathering } from '../../sync/gathering.ts';
import { ROW_BYTES } from '../../sync/row-bytes.ts';

const HOUR_MS = 60 * 60 * 1000;
const REASON = { high_flow: 1, no_flow: 2, unexpected_flow: 3, mainline_leak: 4 };
/** `def3`. */
const STATUS = { no_flow: 1, unexpected_flow: 2, rtc_error: 4, freeze: 6 };
/** So many equal hours in a row are no weather. */
const FLAT_HOURS = 12;
/** A device believes a sample for ten minutes, and tells its uptime by the minute (device sheet, §2.6). */
const OLD_MS = 12 * 60 * 1000;
const UPTIME_WRAP_MS = 2 ** 32;
const DRY_MS = 2 * 60 * 1000;

/** What the phones of a home brought from a device: only that can be found, however true the fault is. */
export interface Brought {
  readonly gathered: Gathering;
  /** When the phone left. */
  readonly at: number;
  /** Whether the device's uptime showed a restart since the visit before. */
  readonly hasRestarted: boolean;
}

/** Whether anything that was brought, from the fault's beginning to the first visit after its end, shows it. */
export function hasLeftEvidence(fault: PlantedFault, visits: readonly Brought[]): boolean {
  const after = visits.find(({ at }) => at >= fault.until)?.at ?? Number.POSITIVE_INFINITY;
  const during = visits.filter(({ at }) => at >= fault.from && at <= after);
  return during.some((visit) => SHOWS[fault.kind](visit, fault));
}

type Shows = (visit: Brought, fault: PlantedFault) => boolean;

const flowsUnasked: Shows = ({ gathered }) =>
  hasAlarm(gathered, [2, 4, 6]) ||
  hasStatus(gathered, STATUS.unexpected_flow) ||
  hasLock(gathered, [REASON.high_flow, REASON.unexpected_flow, REASON.mainline_leak]) ||
  hasCounted(gathered, ({ high_flow_runs: high, unexpected_runs: unexpected }) => high + unexpected) ||
  hasFlowWithValvesShut(gathered);
const doesNotFlow: Shows = ({ gathered }) =>
  hasAlarm(gathered, [1]) ||
  hasStatus(gathered, STATUS.no_flow) ||
  hasLock(gathered, [REASON.no_flow]) ||
  // It stays when the soft lock is over.
  hasCounted(gathered, ({ no_flow_runs: runs }) => runs) ||
  gathered.sessions.some(isDry);
/** Absent or old when it was looked at, or without hours between those before and after. */
const saysNothing: Shows = ({ gathered }, { from, until }) =>
  hasNoSensor(gathered) || hasOldSample(gathered) || hasGap(gathered, from, until);

const SHOWS: Readonly<Record<FaultName, Shows>> = {
  leak: flowsUnasked,
  valve_stuck_open: flowsUnasked,
  valve_stuck_closed: doesNotFlow,
  empty_tank: doesNotFlow,
  frozen_pipe: doesNotFlow,
  dead_sensor: saysNothing,
  stale_sensor: (visit, fault) =>
    saysNothing(visit, fault) || hasAlarm(visit.gathered, [3], 0xff_ff) || hasStatus(visit.gathered, STATUS.freeze),
  flat_line: ({ gathered }) => gathered.reads.some(isFlat),
  lost_clock: ({ gathered }) => hasStatus(gathered, STATUS.rtc_error) || gathered.reads.some(hasLostEpoch),
  reboots_in_mid_run: ({ hasRestarted }) => hasRestarted,
};

function hasAlarm({ readings }: Gathering, codes: readonly number[], data?: number): boolean {
  return parsed(readings, 'alarm', Alarm).some(
    (alarm) =>
      codes.includes(alarm.alarm_code) &&
      // 0 says that it is over.
      (data === undefined ? alarm.alarm_data !== 0 || alarm.alarm_code > 3 : alarm.alarm_data === data),
  );
}

function hasStatus({ readings }: Gathering, code: number): boolean {
  return readings.some(({ kind, bytes }) => kind === 'status' && bytes[0] === code);
}

function hasLock({ readings }: Gathering, reasons: readonly number[]): boolean {
  return parsed(readings, 'hydraulic', HydraulicStatus).some(
    (status) =>
      (status.lock_level > 0 && reasons.includes(status.lock_reason)) ||
      (status.global_level > 0 && reasons.includes(status.global_reason)),
  );
}

function hasCounted({ readings }: Gathering, runs: (status: Read<typeof HydraulicStatus>) => number): boolean {
  return parsed(readings, 'hydraulic', HydraulicStatus).some((status) => runs(status) > 0);
}

/** At the moment of the visit's readings: no valve, and yet pulses. */
function hasFlowWithValvesShut({ readings }: Gathering): boolean {
  const isOpen = parsed(readings, 'valve', ValveControl).some(({ task_type }) => task_type === 1);
  const isRunning = readings.some(({ kind, bytes }) => kind === 'task' && bytes[0] !== 0xff);
  return !isOpen && !isRunning && parsed(readings, 'flow', FlowSensor).some(({ value }) => value > 0);
}

function hasNoSensor({ readings }: Gathering): boolean {
  return parsed(readings, 'environment', EnvironmentalData).some(({ sensor_status: status }) => status === 0);
}

/** Of a sample whose stamp is older than a device believes one. */
function hasOldSample({ readings, uptime }: Gathering): boolean {
  if (uptime === undefined) return false;
  return parsed(readings, 'environment', EnvironmentalData).some(
    (sample) => sample.sensor_status !== 0 && (uptime.uptimeMs % UPTIME_WRAP_MS) - sample.uptime_ms > OLD_MS,
  );
}

/** Somebody watched it for longer than the slowest pipe takes, and the meter never turned. */
function isDry({ sawStart, ended, startedAt, endedAt, millilitres }: GatheredSession): boolean {
  return sawStart && ended !== 'lost_sight' && millilitres === 0 && endedAt - startedAt >= DRY_MS;
}

/** Hours of the fault that have no row, in what was read after them. */
function hasGap({ reads }: Gathering, from: number, until: number): boolean {
  const hours = reads.filter(({ kind }) => kind === 'environment_hourly').flatMap((read) => epochsOf(read));
  return hours.some((hour, index) => {
    const next = hours[index + 1];
    return next !== undefined && next - hour > 2 * HOUR_MS && hour < until && next > from;
  });
}

function isFlat(read: GatheredRead): boolean {
  if (read.kind !== 'environment_hourly') return false;
  let same = 1;
  let before = '';
  for (let at = 0; at < read.rows.byteLength; at += EnvironmentHourly.bytes) {
    // All but the time.
    const value = Buffer.from(read.rows.subarray(at + 4, at + EnvironmentHourly.bytes)).toString('latin1');
    same = value === before ? same + 1 : 1;
    before = value;
    if (same >= FLAT_HOURS) return true;
  }
  return false;
}

function hasLostEpoch(read: GatheredRead): boolean {
  return epochsOf(read).some((at) => at < FIRST_TRUSTED_EPOCH_S * 1000);
}

/** When the rows say that they were made, in milliseconds since 1970. Rows of days have dates instead. */
function epochsOf({ kind, rows }: GatheredRead): readonly number[] {
  if (kind === 'environment_daily') return [];
  const bytes = ROW_BYTES[kind];
  const view = new DataView(rows.buffer, rows.byteOffset, rows.byteLength);
  return Array.from({ length: rows.byteLength / bytes }, (_, index) => view.getUint32(index * bytes, true) * 1000);
}

function parsed<T>(
  readings: readonly GatheredReading[],
  wanted: GatheredReading['kind'],
  structure: { read(bytes: Uint8Array): T | undefined },
): readonly T[] {
  return readings.flatMap(({ kind, bytes }) => (kind === wanted ? (structure.read(bytes) ?? []) : []));
}
