import { f32, i8, list, raw, structure, u8, u16, u32 } from './structure.ts';

/** `de22`: learned flow, locks and anomalies of one channel, and the global lock. */
export const HydraulicStatus = structure('hydraulic_status', {
  channel_id: u8,
  profile: u8,
  lock_level: u8,
  lock_reason: u8,
  nominal_ml_min: u32,
  ramp_s: u16,
  tol_high_pct: u8,
  tol_low_pct: u8,
  calibrated: u8,
  monitoring: u8,
  learning_runs: u8,
  stable_runs: u8,
  estimated: u8,
  manual_override: u8,
  r0: u16,
  lock_epoch: u32,
  retry_epoch: u32,
  no_flow_runs: u8,
  high_flow_runs: u8,
  unexpected_runs: u8,
  r1: u8,
  last_anomaly_epoch: u32,
  global_level: u8,
  global_reason: u8,
  r2: u16,
  global_lock_epoch: u32,
  global_retry_epoch: u32,
});

/** `de17`. `rain_mm` and `temp_c` are always 0. */
export const CompensationStatus = structure('compensation_status', {
  channel_id: u8,
  rain_on: u8,
  rain_mm: f32,
  rain_reduction_pct: f32,
  rain_skip: u8,
  rain_calc_epoch: u32,
  temp_on: u8,
  temp_c: f32,
  temp_factor: f32,
  temp_requirement: f32,
  temp_calc_epoch: u32,
  any: u8,
  reserved: raw(7),
});

/** `de18`: how rain shortens or skips each channel's watering. */
export const RainIntegration = structure('rain_integration', {
  active: u8,
  enabled: u8,
  last_pulse: u32,
  mm_per_pulse: f32,
  mm_1h: f32,
  mm_24h: f32,
  mm_48h: f32,
  sensitivity_pct: f32,
  skip_mm: f32,
  reduction: list(f32, 8),
  skip: list(u8, 8),
  hourly_entries: u16,
  daily_entries: u16,
  storage_bytes: u32,
});

/** `def5`: a channel's schedule, in local time. Days: bit 0 is Sunday. */
export const Schedule = structure('schedule', {
  channel_id: u8,
  type: u8,
  days_or_interval: u8,
  hour: u8,
  minute: u8,
  mode: u8,
  value: u16,
  enabled: u8,
  solar: u8,
  solar_event: u8,
  solar_offset_min: i8,
});

/** `de21`: write with code 0, read the code, write it back within 300 s. */
export const ResetControl = structure('reset_control', {
  type: u8,
  channel_id: u8,
  code: u32,
  status: u8,
  timestamp: u32,
  progress: raw(5),
});
