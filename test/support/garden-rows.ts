import {
  Alarm,
  Diagnostics,
  EnvironmentDaily,
  EnvironmentHourly,
  HistoryDetailedEntry,
  HydraulicStatus,
  RainDaily,
  RainHourly,
  Rtc,
} from '@autowatering/device-data';
import { deviceBytes } from './device-bytes.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const seconds = (ms: number) => Math.floor(ms / 1_000);

/** Rows as devices send them, from times in milliseconds. */
export const startRow = (at: number, channel = 0, minutes = 10) =>
  wateringRow(at, channel, { target: minutes, mode: 1 });
export const stopRow = (at: number, channel = 0, minutes = 3) =>
  wateringRow(at, channel, { actual: minutes, actual_copy: minutes });
export const rainSkipRow = (at: number, channel = 0) => wateringRow(at, channel, { success: 3 });

function wateringRow(at: number, channel: number, more: Partial<Parameters<typeof HistoryDetailedEntry.write>[0]>) {
  return deviceBytes(HistoryDetailedEntry, { epoch: seconds(at), channel_id: channel, event: 1, ...more });
}

export const rainHour = (at: number, mmX100 = 0) =>
  RainHourly.write({ hour_epoch: seconds(at), mm_x100: mmX100, pulses: Math.min(255, mmX100), quality: 100 });

export const rainDay = (at: number, mmX100 = 0) =>
  RainDaily.write({
    ...{ day_epoch_utc: seconds(at), total_x100: mmX100, max_hour_x100: Math.floor(mmX100 / 3) },
    ...{ active_hours: mmX100 === 0 ? 0 : 3, completeness_pct: 100 },
  });

export const weatherHour = (at: number, celsiusX100 = 2_150, humidityX100 = 5_500, pascal = 101_325) =>
  EnvironmentHourly.write({
    ...{ epoch: seconds(at), t_avg_x100: celsiusX100, t_min_x100: celsiusX100, t_max_x100: celsiusX100 },
    ...{ h_avg_x100: humidityX100, p_avg_pa: pascal },
  });

export const weatherDay = (at: number, celsiusX100 = 2_000) =>
  EnvironmentDaily.write({
    ...{ date_yyyymmdd: Number(new Date(at).toISOString().slice(0, 10).replaceAll('-', '')) },
    ...{ t_avg_x100: celsiusX100, t_min_x100: celsiusX100 - 500, t_max_x100: celsiusX100 + 700 },
    ...{ h_avg_x100: 5_500, h_min_x100: 4_000, h_max_x100: 8_000, p_avg_pa: 101_000, samples: 24 },
  });

export const alarmBytes = (code: number, data: number, at: number) =>
  Alarm.write({ alarm_code: code, alarm_data: data, epoch: seconds(at) });

/** The device's clock, in UTC. */
export function clockBytes(at: number): Uint8Array {
  const shown = new Date(at);
  return deviceBytes(Rtc, {
    ...{ year_minus_2000: shown.getUTCFullYear() - 2000, month: shown.getUTCMonth() + 1, day: shown.getUTCDate() },
    ...{ hour: shown.getUTCHours(), minute: shown.getUTCMinutes(), second: shown.getUTCSeconds() },
    day_of_week: shown.getUTCDay(),
  });
}

export const diagnosticsBytes = (uptimeMin: number) =>
  deviceBytes(Diagnostics, { uptime_min: uptimeMin, battery: 255 });

/** @param retryAt when a soft lock is tried again, in milliseconds since 1970 */
export const hydraulicBytes = (channel: number, lockLevel = 0, retryAt = 0) =>
  deviceBytes(HydraulicStatus, {
    ...{ channel_id: channel, profile: 1, lock_level: lockLevel, lock_reason: lockLevel, nominal_ml_min: 4_000 },
    ...{ ramp_s: 10, tol_high_pct: 30, tol_low_pct: 40, calibrated: 1, monitoring: 1, learning_runs: 5 },
    ...{ stable_runs: 5, retry_epoch: seconds(retryAt) },
  });

export const base64 = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('base64');
