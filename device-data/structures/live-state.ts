import { f32, i8, i16, raw, structure, u8, u16, u32 } from './structure.ts';

/** `def1`. Written: start a run (0 minutes, 1 litres). Notified: `task_type` 1 open, 0 closed, `value` 0. */
export const ValveControl = structure('valve_control', { channel_id: u8, task_type: u8, value: u16 });

/** `def2`: pulses per second; the raw count while calibrating. */
export const FlowSensor = structure('flow_sensor', { value: u32 });

/** `deff`. Target and current are seconds or millilitres, by `mode`. Channel 255: nothing runs. */
export const CurrentTask = structure('current_task', {
  channel_id: u8,
  /** Seconds since boot, not a time. */
  start_uptime_s: u32,
  mode: u8,
  target: u32,
  current: u32,
  total_volume_ml: u32,
  status: u8,
  /** Elapsed seconds in volume mode. */
  reserved: u16,
});

/** `def7`. `task_type` 255: an error, its number in `value`. */
export const TaskQueue = structure('task_queue', {
  pending: u8,
  completed: u8,
  current_channel: u8,
  task_type: u8,
  value: u16,
  command: u8,
  task_id_to_delete: u8,
  active_task_id: u8,
});

/** `def8`: a guess of the firmware, not a measurement. */
export const Statistics = structure('statistics', {
  channel_id: u8,
  total_ml: u32,
  last_ml: u32,
  last_watering_epoch: u32,
  count: u16,
});

/** `def9`: local time and its offset from UTC. */
export const Rtc = structure('rtc', {
  year_minus_2000: u8,
  month: u8,
  day: u8,
  hour: u8,
  minute: u8,
  second: u8,
  day_of_week: u8,
  utc_offset_min: i16,
  dst_active: u8,
  reserved: raw(6),
});

/** `6793`. Week 5 is the last of the month; day of week 0 is Sunday. */
export const TimeZoneRule = structure('timezone', {
  utc_offset_min: i16,
  dst_enabled: u8,
  start_month: u8,
  start_week: u8,
  start_dow: u8,
  end_month: u8,
  end_week: u8,
  end_dow: u8,
  dst_offset_min: i16,
});

/** `defa`. What `alarm_data` means depends on the code. */
export const Alarm = structure('alarm', { alarm_code: u8, alarm_data: u16, epoch: u32 });

/** `defd`. `battery` is always 255: there is no gauge. */
export const Diagnostics = structure('diagnostics', {
  uptime_min: u32,
  error_count: u16,
  last_error: u8,
  valve_bitmap: u8,
  battery: u8,
  reserved: raw(3),
});

/** `de15`. With `sensor_status` 0 the values are placeholders. `uptime_ms` wraps after 49.7 days. */
export const EnvironmentalData = structure('environmental_data', {
  temp_c: f32,
  humidity_pct: f32,
  pressure_hpa: f32,
  uptime_ms: u32,
  sensor_status: u8,
  interval_s: u16,
  quality: u8,
  reserved: raw(4),
});

/** `de13`: sums in hundredths of a millimetre. `last_pulse_uptime_s` counts from boot. */
export const RainData = structure('rain_data', {
  current_hour_x100: u32,
  today_x100: u32,
  last_24h_x100: u32,
  rate_mm_h_x100: u16,
  last_pulse_uptime_s: u32,
  total_pulses: u32,
  status: u8,
  quality: u8,
});

/** `de60`. Several fields are filled wrongly or not at all (device sheet, §2.1). */
export const BulkSnapshot = structure('bulk_snapshot', {
  version: u8,
  flags: u8,
  r: u16,
  utc: u32,
  tz_min: i16,
  dst: u8,
  pad1: u8,
  mode: u8,
  active_alarms: u8,
  valves: u8,
  active_channel: u8,
  remaining_s: u16,
  /** Pulses per second, although the firmware's name says ml/min. */
  flow: u16,
  temp_x10: i16,
  hum_x10: u16,
  press_x10: u16,
  dew_x10: i16,
  vpd_x100: u16,
  pad2: u16,
  /** Of the current hour, not of today. */
  rain_today_x10: u16,
  rain_week_x10: u16,
  rain_integration: u8,
  skip_active: u8,
  skip_min: u16,
  temp_comp: u8,
  rain_comp: u8,
  temp_adj: i8,
  rain_adj: i8,
  pending: u8,
  next_channel: u8,
  next_min: u16,
  next_epoch: u32,
  channel_status: raw(8),
});
