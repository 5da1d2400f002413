import {
  Alarm,
  CurrentTask,
  Diagnostics,
  EnvironmentalData,
  FlowSensor,
  HydraulicStatus,
  RainData,
  ValveControl,
} from '@autowatering/device-data';
import type { Reading, ReadingKind } from '../evidence.ts';

/** The characteristics that live samples are of (device sheet, §2.1). The status is a single number. */
const STRUCTURES = {
  hydraulic: HydraulicStatus,
  diagnostics: Diagnostics,
  environment: EnvironmentalData,
  rain: RainData,
  task: CurrentTask,
  flow: FlowSensor,
  valve: ValveControl,
  alarm: Alarm,
} as const satisfies Readonly<Record<Exclude<ReadingKind, 'status'>, unknown>>;

/** How long each live sample is. */
export const READING_BYTES: Readonly<Record<ReadingKind, number>> = {
  status: 1,
  hydraulic: STRUCTURES.hydraulic.bytes,
  diagnostics: STRUCTURES.diagnostics.bytes,
  environment: STRUCTURES.environment.bytes,
  rain: STRUCTURES.rain.bytes,
  task: STRUCTURES.task.bytes,
  flow: STRUCTURES.flow.bytes,
  valve: STRUCTURES.valve.bytes,
  alarm: STRUCTURES.alarm.bytes,
};

/** What a sample's bytes say, field by field, as the present reader reads them. Reserved bytes are left out. */
export function decodeReading({ kind, bytes }: Pick<Reading, 'kind' | 'bytes'>): Readonly<Record<string, number>> {
  if (kind === 'status') return { value: bytes[0] ?? 0 };
  const values = STRUCTURES[kind].read(bytes);
  if (values === undefined) throw new Error(`a stored sample of ${kind} has another length`);
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
