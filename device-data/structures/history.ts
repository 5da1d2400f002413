import { i16, i32, raw, structure, u8, u16, u32 } from './structure.ts';

/** Before each part of an answer on `defc`, `de14` and `de16`. */
export const HistoryFragmentHeader = structure('history_fragment_header', {
  data_type: u8,
  status: u8,
  entry_count: u16,
  fragment_index: u8,
  total_fragments: u8,
  fragment_size: u8,
  reserved: u8,
});

/** `defc`. The epochs are echoed and never applied; channel 255 means channel 0. */
export const HistoryQuery = structure('history_query', {
  channel_id: u8,
  history_type: u8,
  entry_index: u8,
  count: u8,
  start_epoch: u32,
  end_epoch: u32,
});

/** Target and actual are minutes or litres, whatever the firmware's names say. */
export const HistoryDetailedEntry = structure('history_detailed_entry', {
  epoch: u32,
  channel_id: u8,
  event: u8,
  mode: u8,
  target: u16,
  actual: u16,
  actual_copy: u16,
  trigger: u8,
  success: u8,
  error: u8,
  avg_flow_ml_s: u16,
  zero: raw(6),
});

/** Unasked on `defc`, without a fragment header. START: times are seconds since boot. */
export const HistoryRealtimeNotify = structure('history_realtime_notify', {
  channel_id: u8,
  history_type: u8,
  entry_index: u8,
  count: u8,
  t1: u32,
  t2: u32,
  timestamp: u32,
  channel: u8,
  event: u8,
  mode: u8,
  target: u16,
  actual: u16,
  /** Wraps at 65,536. */
  total_ml: u16,
  trigger: u8,
  success: u8,
  error: u8,
  flow_avg: u16,
  reserved: u16,
});

export const HistoryDailyEntry = structure('history_daily_entry', {
  day_of_year: u16,
  year: u16,
  sessions_ok: u8,
  total_ml: u32,
  duration_est_s: u16,
  avg_flow: u16,
  success_pct: u8,
  errors: u8,
  zero: raw(1),
});

export const HistoryMonthlyEntry = structure('history_monthly_entry', {
  month: u8,
  year: u16,
  sessions: u16,
  total_ml: u32,
  duration_h: u16,
  avg_daily_ml: u16,
  active_days: u8,
  success_pct: u8,
});

export const HistoryAnnualEntry = structure('history_annual_entry', {
  year: u16,
  sessions: u16,
  total_l: u32,
  avg_month_l: u16,
  best_month: u8,
  success_pct: u8,
  peak_month_l: u16,
});

/** `de14`: 1 hourly, 2 daily, 3 recent. 0x10 and 0x20 erase. */
export const RainHistoryCommand = structure('rain_history_cmd', {
  command: u8,
  start_epoch: u32,
  end_epoch: u32,
  max_entries: u16,
  data_type: u8,
  reserved: raw(4),
});

export const RainHourly = structure('rain_hourly', { hour_epoch: u32, mm_x100: u16, pulses: u8, quality: u8 });

export const RainDaily = structure('rain_daily', {
  day_epoch_utc: u32,
  total_x100: u32,
  max_hour_x100: u16,
  active_hours: u8,
  completeness_pct: u8,
});

export const RainRecent = structure('rain_recent', {
  last_hour_x100: u32,
  last_24h_x100: u32,
  last_7d_x100: u32,
  zero: u32,
});

/** `de16`: the client pulls each part by its number. 5 erases. */
export const EnvironmentHistoryRequest = structure('env_history_request', {
  command: u8,
  start_epoch: u32,
  end_epoch: u32,
  data_type: u8,
  max_records: u8,
  fragment_id: u8,
  reserved: raw(8),
});

export const EnvironmentDetailed = structure('env_detailed', {
  epoch: u32,
  temp_x100: i16,
  humidity_x100: u16,
  pressure_pa: u32,
});

/** Average, minimum and maximum are always equal. */
export const EnvironmentHourly = structure('env_hourly', {
  epoch: u32,
  t_avg_x100: i16,
  t_min_x100: i16,
  t_max_x100: i16,
  h_avg_x100: u16,
  p_avg_pa: u32,
});

/** The day is a number such as 20260325, in local time. */
export const EnvironmentDaily = structure('env_daily', {
  date_yyyymmdd: u32,
  t_avg_x100: i16,
  t_min_x100: i16,
  t_max_x100: i16,
  h_avg_x100: u16,
  h_min_x100: u16,
  h_max_x100: u16,
  p_avg_pa: u32,
  samples: u16,
});

export const EnvironmentTrend = structure('env_trend', {
  dt_x100: i16,
  dh_x100: i16,
  dp_pa: i32,
  tmin_x100: i16,
  tmax_x100: i16,
  hmin_x100: u16,
  hmax_x100: u16,
  t_slope_x100_per_h: i16,
  h_slope_x100_per_h: i16,
  p_slope_pa_per_h: i16,
  samples: u16,
});
