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
import type { ReadingKind } from '../evidence.ts';

/** How long each live sample is: the characteristic's structure (device sheet, §2.1). */
export const READING_BYTES: Readonly<Record<ReadingKind, number>> = {
  status: 1,
  hydraulic: HydraulicStatus.bytes,
  diagnostics: Diagnostics.bytes,
  environment: EnvironmentalData.bytes,
  rain: RainData.bytes,
  task: CurrentTask.bytes,
  flow: FlowSensor.bytes,
  valve: ValveControl.bytes,
  alarm: Alarm.bytes,
};
