import {
  Alarm,
  Diagnostics,
  EnvironmentDaily,
  EnvironmentHourly,
  HistoryDetailedEntry,
  HydraulicStatus,
  RainDaily,
  RainHourly,
} from '@autowatering/device-data';

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
  return HistoryDetailedEntry.write({
    ...{ epoch: seconds(at), channel_id: channel, event: 1, mode: 0, target: 0, actual: 0, actual_copy: 0 },
    ...{ trigger: 0, success: 0, error: 0, avg_flow_ml_s: 0, zero: new Uint8Array(6), ...more },
  });
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

export const diagnosticsBytes = (uptimeMin: number) =>
  Diagnostics.write({
    ...{ uptime_min: uptimeMin, error_count: 0, last_error: 0, valve_bitmap: 0, battery: 255 },
    reserved: new Uint8Array(3),
  });

/** @param retryAt when a soft lock is tried again, in milliseconds since 1970 */
export const hydraulicBytes = (channel: number, lockLevel = 0, retryAt = 0) =>
  HydraulicStatus.write({
    ...{ channel_id: channel, profile: 1, lock_level: lockLevel, lock_reason: lockLevel, nominal_ml_min: 4_000 },
    ...{ ramp_s: 10, tol_high_pct: 30, tol_low_pct: 40, calibrated: 1, monitoring: 1, learning_runs: 5 },
    ...{
      stable_runs: 5,
      estimated: 0,
      manual_override: 0,
      r0: 0,
      lock_epoch: 0,
      retry_epoch: seconds(retryAt),
      no_flow_runs: 0,
    },
    ...{ high_flow_runs: 0, unexpected_runs: 0, r1: 0, last_anomaly_epoch: 0, global_level: 0, global_reason: 0 },
    ...{ r2: 0, global_lock_epoch: 0, global_retry_epoch: 0 },
  });

export const base64 = (...parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('base64');
