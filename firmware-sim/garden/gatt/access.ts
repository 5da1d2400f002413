import type { Firmware } from '../firmware/firmware.ts';
import type { Calibration } from './calibration.ts';
import type { Characteristic } from './characteristics.ts';
import * as derived from './derived-values.ts';
import type { EnvironmentPulls } from './history/environment-pulls.ts';
import type { RainTransfers } from './history/rain-transfers.ts';
import type { WateringTransfers } from './history/watering-transfers.ts';
import * as live from './live-values.ts';
import { type Opaque, opaqueBytes, writeOpaque } from './opaque-values.ts';
import * as settings from './setting-writes.ts';
import * as writes from './writes.ts';

/** What reading and writing a characteristic needs. */
export interface AccessContext {
  readonly firmware: Firmware;
  readonly calibration: Calibration;
  readonly watering: WateringTransfers;
  readonly rain: RainTransfers;
  readonly environment: EnvironmentPulls;
  /** ATT MTU of the connection. */
  readonly mtu: () => number;
  /** The channel that was chosen for a characteristic. */
  readonly channel: (characteristic: Characteristic) => number;
  readonly notify: (characteristic: Characteristic, bytes: Uint8Array) => void;
  readonly queueFailed: (error: number) => void;
}

type ReadValue = (context: AccessContext) => Uint8Array;
type WriteValue = (context: AccessContext, bytes: Uint8Array) => void;

const readsOpaque =
  (characteristic: Opaque): ReadValue =>
  ({ firmware, channel }) =>
    opaqueBytes(firmware, characteristic, channel(characteristic));
const writesOpaque =
  (characteristic: Opaque): WriteValue =>
  ({ firmware, channel }, bytes) =>
    writeOpaque(firmware, characteristic, channel(characteristic), bytes);

/** What each characteristic shows. */
export const READS: Readonly<Record<Characteristic, ReadValue>> = {
  def1: ({ firmware }) => live.runningValveBytes(firmware),
  def2: ({ firmware, calibration }) => live.flowBytes(firmware, calibration.from),
  def3: ({ firmware }) => live.statusBytes(firmware),
  def5: ({ firmware, channel }) => live.scheduleBytes(firmware, channel('def5')),
  def6: ({ firmware }) => live.systemConfigBytes(firmware),
  def7: ({ firmware }) => live.queueBytes(firmware),
  def8: ({ firmware, channel }) => live.statisticsBytes(firmware, channel('def8')),
  def9: ({ firmware }) => live.rtcBytes(firmware),
  defa: ({ firmware }) => live.alarmBytes(firmware),
  defb: ({ firmware, calibration }) => live.calibrationBytes(firmware, calibration.from, calibration.computed),
  // Answers are pushed: reading shows nothing of them.
  defc: () => new Uint8Array(12),
  defd: ({ firmware }) => live.diagnosticsBytes(firmware),
  deff: ({ firmware }) => live.taskBytes(firmware),
  de12: ({ firmware }) => live.rainConfigBytes(firmware),
  de13: ({ firmware }) => live.rainBytes(firmware),
  de14: () => new Uint8Array(16),
  de15: ({ firmware }) => live.environmentBytes(firmware),
  de16: ({ environment }) => environment.latest,
  de17: ({ firmware, channel }) => derived.compensationBytes(firmware, channel('de17')),
  de18: ({ firmware }) => derived.integrationBytes(firmware),
  de21: ({ firmware }) => live.resetBytes(firmware),
  de22: ({ firmware, channel }) => derived.hydraulicBytes(firmware, channel('de22')),
  de60: ({ firmware }) => derived.snapshotBytes(firmware),
  '6793': ({ firmware }) => live.zoneBytes(firmware),
  def4: readsOpaque('def4'),
  defe: readsOpaque('defe'),
  de00: readsOpaque('de00'),
  de19: readsOpaque('de19'),
  de20: readsOpaque('de20'),
  '6781': readsOpaque('6781'),
  '6782': readsOpaque('6782'),
  '6783': readsOpaque('6783'),
  '6784': readsOpaque('6784'),
  '6785': readsOpaque('6785'),
  '6787': readsOpaque('6787'),
};

/** What a write does. */
export const WRITES: Readonly<Partial<Record<Characteristic, WriteValue>>> = {
  def1: ({ firmware }, bytes) => writes.writeValve(firmware, bytes),
  def5: ({ firmware }, bytes) => settings.writeSchedule(firmware, bytes),
  def6: ({ firmware }, bytes) => settings.writeSystemConfig(firmware, bytes),
  def7: ({ firmware, queueFailed }, bytes) => writes.writeQueue(firmware, bytes, queueFailed),
  def8: ({ firmware }, bytes) => writes.writeStatistics(firmware, bytes),
  def9: ({ firmware }, bytes) => settings.writeRtc(firmware, bytes),
  defa: ({ firmware }, bytes) => writes.writeAlarm(firmware, bytes),
  defb: ({ firmware, calibration }, bytes) => settings.writeCalibration(firmware, calibration, bytes),
  defc: ({ watering, mtu }, bytes) => watering.ask(bytes, mtu()),
  deff: ({ firmware }, bytes) => writes.writeTask(firmware, bytes),
  de12: ({ firmware }, bytes) => settings.writeRainConfig(firmware, bytes),
  de14: ({ rain, mtu }, bytes) => rain.ask(bytes, mtu()),
  de16: ({ environment, mtu, notify }, bytes) => notify('de16', environment.ask(bytes, mtu())),
  de21: ({ firmware }, bytes) => writes.writeReset(firmware, bytes),
  '6793': ({ firmware }, bytes) => settings.writeZone(firmware, bytes),
  def4: writesOpaque('def4'),
  defe: writesOpaque('defe'),
  de00: writesOpaque('de00'),
  de19: writesOpaque('de19'),
  '6781': writesOpaque('6781'),
  '6783': writesOpaque('6783'),
  '6784': writesOpaque('6784'),
  '6785': writesOpaque('6785'),
};
