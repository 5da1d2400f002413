import {
  Alarm,
  CurrentTask,
  Diagnostics,
  EnvironmentalData,
  FlowCalibration,
  FlowSensor,
  RainConfig,
  RainData,
  ResetControl,
  Rtc,
  Schedule,
  Statistics,
  TaskQueue,
  TimeZoneRule,
  ValveControl,
} from '@autowatering/device-data';
import type { Firmware } from '../firmware/firmware.ts';

const U32 = 2 ** 32;
const NOBODY = 0xff;
const NO_BATTERY = 0xff;
/** What `de15` shows without a sensor: values to be discarded. */
const NO_SENSOR = { temp_c: 25, humidity_pct: 50, pressure_hpa: 1013.25 };
const DEF6_BYTES = 56;

export function valveBytes(channel: number, isOpen: boolean): Uint8Array {
  return ValveControl.write({ channel_id: channel, task_type: isOpen ? 1 : 0, value: 0 });
}

/** Of the channel that runs; the first one if none does. */
export function runningValveBytes({ waterer, world }: Firmware): Uint8Array {
  const channel = waterer.run?.task.channel ?? 0;
  return valveBytes(channel, world.plumbing.isOpen(channel));
}

/** Pulses a second, or the raw count while the meter is calibrated. */
export function flowBytes(firmware: Firmware, calibratedFrom: number | undefined): Uint8Array {
  const { plumbing } = firmware.world;
  const value = calibratedFrom === undefined ? Math.round(plumbing.pulseRate) : pulsesFrom(firmware, calibratedFrom);
  return FlowSensor.write({ value });
}

export function pulsesFrom({ world, agenda }: Firmware, from: number): number {
  return world.plumbing.pulses(agenda.now) - from;
}

export function statusBytes({ state }: Firmware): Uint8Array {
  return Uint8Array.of(state.code);
}

export function taskBytes(firmware: Firmware): Uint8Array {
  const { waterer, agenda, clock, settings, behaviour } = firmware;
  const { run } = waterer;
  const none = { channel_id: NOBODY, start_uptime_s: 0, mode: 0, target: 0, current: 0, total_volume_ml: 0 };
  if (run === undefined) return CurrentTask.write({ ...none, status: 0, reserved: 0 });
  const { channel, mode, value } = run.task;
  const ml = run.millilitres(agenda.now, settings.pulsesPerLitre);
  const elapsedS = Math.floor(run.wateredMs(agenda.now) / 1000);
  const start = behaviour === 'fixed' ? clock.epochS(run.startedAt) : run.uptimeS;
  return CurrentTask.write({
    channel_id: channel,
    start_uptime_s: start,
    mode: mode === 'litres' ? 1 : 0,
    target: mode === 'litres' ? value * 1000 : value * 60,
    current: mode === 'litres' ? ml : elapsedS,
    total_volume_ml: ml,
    status: run.phase === 'paused' ? 2 : 1,
    reserved: mode === 'litres' ? Math.min(0xff_ff, elapsedS) : 0,
  });
}

/** @param error by which a command failed */
export function queueBytes({ waterer }: Firmware, error?: number): Uint8Array {
  const { run, queue, record } = waterer;
  const task = run?.task;
  const current = {
    current_channel: error === undefined ? (task?.channel ?? NOBODY) : NOBODY,
    task_type: error === undefined ? (task?.mode === 'litres' ? 1 : 0) : 0xff,
    value: error ?? task?.value ?? 0,
  };
  return TaskQueue.write({
    ...{ pending: queue.tasks.length, completed: record.completed, ...current, command: 0, task_id_to_delete: 0 },
    active_task_id: task === undefined || error !== undefined ? 0 : 1,
  });
}

export function statisticsBytes({ waterer }: Firmware, channel: number): Uint8Array {
  const { totalMl, lastMl, lastEpochS, count } = waterer.record.statistics.of(channel);
  return Statistics.write({
    ...{ channel_id: channel, total_ml: totalMl, last_ml: lastMl, last_watering_epoch: lastEpochS, count },
  });
}

export function rtcBytes({ clock, agenda }: Firmware): Uint8Array {
  const local = new Date(clock.localMs(agenda.now));
  return Rtc.write({
    ...{ year_minus_2000: local.getUTCFullYear() - 2000, month: local.getUTCMonth() + 1, day: local.getUTCDate() },
    ...{ hour: local.getUTCHours(), minute: local.getUTCMinutes(), second: local.getUTCSeconds() },
    ...{ day_of_week: local.getUTCDay(), utc_offset_min: clock.offsetMinutes(agenda.now) },
    ...{ dst_active: clock.isSummer(agenda.now) ? 1 : 0, reserved: new Uint8Array(6) },
  });
}

export function alarmBytes({ alarms, clock, agenda }: Firmware): Uint8Array {
  const { code, data, epochS } = alarms.current ?? { code: 0, data: 0, epochS: clock.epochS(agenda.now) };
  return Alarm.write({ alarm_code: code, alarm_data: data, epoch: epochS });
}

export function diagnosticsBytes({ clock, agenda, world }: Firmware): Uint8Array {
  return Diagnostics.write({
    ...{ uptime_min: Math.floor(clock.uptimeMs(agenda.now) / 60_000), error_count: 0, last_error: 0 },
    ...{ valve_bitmap: valveBits(world), battery: NO_BATTERY, reserved: new Uint8Array(3) },
  });
}

export function valveBits({ plumbing }: Firmware['world']): number {
  let bits = 0;
  for (let zone = 0; zone < plumbing.zones; zone += 1) if (plumbing.isOpen(zone)) bits |= 1 << zone;
  return bits;
}

export function environmentBytes({ sensor, clock, agenda, behaviour }: Firmware): Uint8Array {
  const reading = sensor.read();
  const uptimeMs = reading?.uptimeMs ?? clock.uptimeMs(agenda.now);
  // The documents say Unix seconds; the driver's stamp is the uptime, which wraps after 49.7 days.
  const fixedS = Math.floor(clock.utcMs(agenda.now) / 1000);
  return EnvironmentalData.write({
    ...(reading === undefined
      ? NO_SENSOR
      : { temp_c: reading.temperatureC, humidity_pct: reading.humidityPercent, pressure_hpa: reading.pressureHpa }),
    uptime_ms: behaviour === 'fixed' ? fixedS : Math.floor(uptimeMs) % U32,
    ...{ sensor_status: reading === undefined ? 0 : 1, interval_s: sensor.intervalS },
    ...{ quality: reading === undefined ? 0 : 95, reserved: new Uint8Array(4) },
  });
}

/** The documents say UTC; it is the uptime, unless the firmware is fixed. */
export function lastPulseS({ rain, behaviour, clock, agenda }: Firmware): number {
  if (behaviour === 'as-is' || rain.lastPulseS === 0) return rain.lastPulseS;
  return clock.epochS(agenda.now) - (Math.floor(clock.uptimeMs(agenda.now) / 1000) - rain.lastPulseS);
}

export function rainBytes(firmware: Firmware): Uint8Array {
  const { rain, settings, world } = firmware;
  const isOn = settings.rain.enabled !== 0;
  const values = {
    current_hour_x100: rain.hourX100,
    today_x100: rain.todayX100,
    last_24h_x100: rain.sumX100(24 * 3600),
    rate_mm_h_x100: Math.min(0xff_ff, Math.round(world.rainRate * 100)),
    last_pulse_uptime_s: lastPulseS(firmware),
    total_pulses: rain.pulses,
  };
  const off = { current_hour_x100: 0, today_x100: 0, last_24h_x100: 0, rate_mm_h_x100: 0, total_pulses: 0 };
  return RainData.write({
    ...(isOn ? values : { ...off, last_pulse_uptime_s: 0 }),
    ...{ status: isOn ? 1 : 0, quality: isOn ? 100 : 0 },
  });
}

export function rainConfigBytes({ settings }: Firmware): Uint8Array {
  return RainConfig.write(settings.rain);
}

export function zoneBytes({ settings }: Firmware): Uint8Array {
  return TimeZoneRule.write(settings.zone);
}

export function scheduleBytes({ settings }: Firmware, channel: number): Uint8Array {
  const found = settings.channels[channel];
  if (found === undefined) throw new RangeError(`there is no channel ${channel}`);
  return Schedule.write(found.schedule);
}

export function resetBytes({ resets, clock, agenda }: Firmware): Uint8Array {
  const { type, channel, code, status, percent } = resets.state;
  return ResetControl.write({
    ...{ type, channel_id: channel, code, status, timestamp: Math.floor(clock.uptimeMs(agenda.now) / 1000) },
    progress: Uint8Array.of(percent, 0, 0, 0, 0),
  });
}

/** Only the power mode (at 1) and the calibration (at 2) are simulated; the sheet has no layout for the rest. */
export function systemConfigBytes({ settings }: Firmware): Uint8Array {
  const bytes = new Uint8Array(DEF6_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, settings.powerMode);
  view.setUint32(2, settings.pulsesPerLitre, true);
  return bytes;
}

export function calibrationBytes(firmware: Firmware, from: number | undefined, computed: number): Uint8Array {
  return FlowCalibration.write({
    ...{ action: from === undefined ? 0 : 1, pulses: from === undefined ? 0 : pulsesFrom(firmware, from) },
    ...{ volume_ml: 0, pulses_per_litre: computed === 0 ? firmware.settings.pulsesPerLitre : computed },
  });
}
