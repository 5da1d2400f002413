import { FlowCalibration, RainConfig, Rtc, Schedule, TimeZoneRule } from '@autowatering/device-data';
import type { Firmware } from '../firmware/firmware.ts';
import { DEFAULT_PULSES_PER_LITRE } from '../firmware/settings.ts';
import { ATT, AttError } from './att-error.ts';
import type { Calibration } from './calibration.ts';
import { allowed, parsed, permitted } from './checks.ts';

const DEF6_BYTES = 56;
/** Of the clock chip. */
const LAST_YEAR = 99;

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
  allowed(time.year_minus_2000 <= LAST_YEAR, 'the year');
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
