import {
  CHANNELS,
  FlowCalibration,
  MOST_LITRES,
  MOST_MINUTES,
  RainConfig,
  ResetControl,
  Rtc,
  Schedule,
  Statistics,
  TaskQueue,
  TimeZoneRule,
  ValveControl,
} from '@autowatering/device-data';
import type { Firmware } from '../firmware/firmware.ts';
import { RESET } from '../firmware/reset-control.ts';
import { DEFAULT_PULSES_PER_LITRE } from '../firmware/settings.ts';
import { ATT, AttError } from './att-error.ts';
import type { Calibration } from './calibration.ts';

const MASTER = 0xff;
const KEEP = 0xff_ff_ff_ff;
const KEEP_COUNT = 0xff_ff;
const DEF6_BYTES = 56;

/** @throws AttError 0x0D for another length */
export function parsed<T>(structure: { read(bytes: Uint8Array): T | undefined }, bytes: Uint8Array): T {
  const values = structure.read(bytes);
  if (values === undefined) throw new AttError(ATT.invalid_length, `${bytes.byteLength} bytes are another structure`);
  return values;
}

/** @throws AttError 0x13 */
export function allowed(isAllowed: boolean, what: string): void {
  if (!isAllowed) throw new AttError(ATT.not_allowed, `${what} is not allowed`);
}

/** @throws AttError 0x03 */
function permitted(isPermitted: boolean, why: string): void {
  if (!isPermitted) throw new AttError(ATT.write_not_permitted, why);
}

export function writeValve({ waterer, settings }: Firmware, bytes: Uint8Array): void {
  const { channel_id: channel, task_type: type, value } = parsed(ValveControl, bytes);
  if (channel === MASTER) {
    allowed(type <= 1, `master ${type}`);
    permitted(settings.hasMaster, 'there is no master valve');
    waterer.master(type === 1);
    return;
  }
  allowed(channel < CHANNELS && type <= 1, `channel ${channel}, type ${type}`);
  allowed(value >= 1 && value <= (type === 0 ? MOST_MINUTES : MOST_LITRES), `an amount of ${value}`);
  const refusal = waterer.enqueue({ channel, mode: type === 0 ? 'minutes' : 'litres', value, trigger: 'manual' });
  permitted(refusal === undefined, `refused: ${refusal}`);
}

export function writeTask({ waterer }: Firmware, bytes: Uint8Array): void {
  if (bytes.byteLength !== 1) throw new AttError(ATT.invalid_length, 'a command is one byte');
  const [command = 0] = bytes;
  allowed(command <= 2, `command ${command}`);
  const acts = [() => waterer.stop(), () => waterer.pause(), () => waterer.resume()];
  permitted(acts[command]?.() === true, 'nothing to act on');
}

/** The write itself succeeds; what went wrong is notified. */
export function writeQueue({ waterer }: Firmware, bytes: Uint8Array, fail: (error: number) => void): void {
  const { command } = parsed(TaskQueue, bytes);
  switch (command) {
    case 0:
      return;
    case 1:
      if (waterer.run !== undefined) fail(3);
      else if (!waterer.startNext()) fail(1);
      return;
    case 2:
      if (!waterer.pause()) fail(2);
      return;
    case 3:
      if (!waterer.resume()) fail(2);
      return;
    case 4:
      if (!waterer.stop()) fail(1);
      return;
    case 5:
      waterer.clearQueue();
      return;
    default:
      fail(2);
  }
}

export function writeSchedule({ settings, schedules }: Firmware, bytes: Uint8Array): void {
  const schedule = parsed(Schedule, bytes);
  const { channel_id: channel, type, hour, minute, mode, value, enabled, solar_offset_min: offset } = schedule;
  const known = settings.channels[channel];
  allowed(known !== undefined && type <= 2 && hour <= 23 && minute <= 59 && mode <= 1, 'the schedule');
  allowed(Math.abs(offset) <= 120 && schedule.solar_event <= 1, 'the solar offset');
  allowed(enabled === 0 || type === 2 || value > 0, 'no amount');
  if (known !== undefined) known.schedule = schedule;
  schedules.changed();
}

/** Local time and its total offset: the base offset becomes that, and the rules of summer time go (device sheet, §2.7). */
export function writeRtc(firmware: Firmware, bytes: Uint8Array): void {
  const time = parsed(Rtc, bytes);
  const { month, day, hour, minute, second, utc_offset_min: offset } = time;
  allowed(month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour <= 23 && minute <= 59 && second <= 59, 'the time');
  allowed(offset >= -720 && offset <= 840, 'the offset');
  const local = Date.UTC(2000 + time.year_minus_2000, month - 1, day, hour, minute, second);
  const zone = { ...firmware.settings.zone, utc_offset_min: offset, dst_enabled: 0 };
  if (!firmware.setClock(local - offset * 60_000, zone)) throw new AttError(ATT.unlikely, 'the clock does not answer');
}

export function writeZone(firmware: Firmware, bytes: Uint8Array): void {
  const rule = parsed(TimeZoneRule, bytes);
  allowed(rule.utc_offset_min >= -720 && rule.utc_offset_min <= 840, 'the offset');
  allowed(Math.abs(rule.dst_offset_min) <= 120, 'the offset of summer time');
  const isRule = (month: number, week: number, day: number) =>
    month >= 1 && month <= 12 && week >= 1 && week <= 5 && day <= 6;
  const isComplete =
    isRule(rule.start_month, rule.start_week, rule.start_dow) && isRule(rule.end_month, rule.end_week, rule.end_dow);
  allowed(rule.dst_enabled === 0 || isComplete, 'the rule of summer time');
  firmware.setZone(rule);
}

export function writeAlarm({ alarms, state, behaviour }: Firmware, bytes: Uint8Array): void {
  if (bytes.byteLength !== 1) throw new AttError(ATT.invalid_length, 'an alarm code is one byte');
  const [code = 0] = bytes;
  const isAll = code === 0 || code === 0xff;
  allowed(isAll || (code <= 0x0d && alarms.current?.code === code), `alarm ${code}`);
  alarms.clear();
  if (behaviour === 'as-is' || !state.has('locked')) state.hide();
}

/** All zero resets the guesses; all ones leave a field. Anything else forges a row of history (device sheet, §2.1). */
export function writeStatistics({ waterer, history, clock, agenda }: Firmware, bytes: Uint8Array): void {
  const { channel_id: channel, total_ml, last_ml, last_watering_epoch: epoch, count } = parsed(Statistics, bytes);
  allowed(channel < CHANNELS, `channel ${channel}`);
  const statistics = waterer.statistics.of(channel);
  if (bytes.subarray(1).every((byte) => byte === 0)) {
    Object.assign(statistics, { totalMl: 0, lastMl: 0, lastEpochS: 0, count: 0 });
    history.add(channel, clock.epochS(agenda.now), { kind: 'statistics_reset' });
    return;
  }
  if (total_ml !== KEEP) statistics.totalMl = total_ml;
  if (last_ml !== KEEP) statistics.lastMl = last_ml;
  if (epoch !== KEEP) statistics.lastEpochS = epoch;
  if (count !== KEEP_COUNT) statistics.count = count;
  if (last_ml !== KEEP && last_ml > 0)
    history.add(channel, clock.epochS(agenda.now), { kind: 'statistics_write', ml: last_ml });
}

export function writeReset({ resets }: Firmware, bytes: Uint8Array): void {
  const { type, channel_id: channel, code } = parsed(ResetControl, bytes);
  allowed(Object.values(RESET).includes(type), `reset ${type}`);
  const isOfChannel = type === RESET.channel || type === RESET.schedule;
  allowed(!isOfChannel || channel < CHANNELS, `channel ${channel}`);
  if (code === 0) resets.ask(type, channel);
  else if (!resets.confirm(type, channel, code)) throw new AttError(ATT.authentication, 'the code is another one');
}

export function writeRainConfig({ settings }: Firmware, bytes: Uint8Array): void {
  const rain = parsed(RainConfig, bytes);
  allowed(rain.mm_per_pulse >= 0.1 && rain.mm_per_pulse <= 10, 'millimetres a pulse');
  allowed(rain.debounce_ms >= 10 && rain.debounce_ms <= 1000, 'the debounce time');
  allowed(rain.enabled <= 1 && rain.integration <= 1, 'a switch');
  allowed(rain.sensitivity_pct >= 0 && rain.sensitivity_pct <= 100 && rain.skip_mm > 0, 'the skip rule');
  settings.rain = rain;
}

export function writeSystemConfig({ settings }: Firmware, bytes: Uint8Array): void {
  if (bytes.byteLength !== DEF6_BYTES) throw new AttError(ATT.invalid_length, `it has ${DEF6_BYTES} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [powerMode, pulses] = [view.getUint8(1), view.getUint32(2, true)];
  allowed(powerMode <= 2, `power mode ${powerMode}`);
  allowed(pulses >= 100 && pulses <= 10_000, `${pulses} pulses a litre`);
  settings.powerMode = powerMode;
  settings.pulsesPerLitre = pulses;
}

export function writeCalibration(firmware: Firmware, calibration: Calibration, bytes: Uint8Array): void {
  const { action, volume_ml: ml } = parsed(FlowCalibration, bytes);
  switch (action) {
    case 0:
      calibration.stop();
      return;
    case 1:
      calibration.start();
      return;
    case 3:
      permitted(calibration.compute(ml), 'nothing to compute from');
      return;
    case 4:
      permitted(calibration.apply(), 'nothing was computed');
      return;
    case 5:
      firmware.settings.pulsesPerLitre = DEFAULT_PULSES_PER_LITRE;
      return;
    default:
      throw new AttError(ATT.not_allowed, `action ${action} is not allowed`);
  }
}
