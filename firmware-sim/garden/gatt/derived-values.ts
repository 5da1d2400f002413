import { BulkSnapshot, CompensationStatus, HydraulicStatus, RainIntegration } from '@autowatering/device-data';
import type { Firmware } from '../firmware/firmware.ts';
import { PROFILES } from '../firmware/settings.ts';
import { isCalibrated } from '../firmware/watering/learned-flow.ts';
import { lastPulseS, valveBits } from './live-values.ts';

const TOLERANCE_HIGH = 30;
const TOLERANCE_LOW = 40;
const RAMP_S = 4;
const DAY_S = 24 * 60 * 60;

/** `de22`. */
export function hydraulicBytes({ settings }: Firmware, channel: number): Uint8Array {
  const known = settings.channels[channel];
  if (known === undefined) throw new RangeError(`there is no channel ${channel}`);
  const { lock, learned, profile } = known;
  const { globalLock } = settings;
  const hasLearned = learned.learningRuns > 0;
  // Read thousands of times in a fleet's year: one literal costs a tenth of many that are spread.
  return HydraulicStatus.write({
    channel_id: channel,
    profile: PROFILES.indexOf(profile),
    lock_level: lock.level,
    lock_reason: lock.reason,
    nominal_ml_min: learned.nominalMlMin,
    ramp_s: hasLearned ? RAMP_S : 0,
    tol_high_pct: TOLERANCE_HIGH,
    tol_low_pct: TOLERANCE_LOW,
    calibrated: isCalibrated(learned) ? 1 : 0,
    monitoring: 1,
    learning_runs: learned.learningRuns,
    stable_runs: learned.stableRuns,
    estimated: 0,
    manual_override: 0,
    r0: 0,
    lock_epoch: lock.epochS,
    retry_epoch: lock.retryEpochS,
    no_flow_runs: known.noFlowRuns,
    high_flow_runs: known.highFlowRuns,
    unexpected_runs: known.unexpectedRuns,
    r1: 0,
    last_anomaly_epoch: known.lastAnomalyS,
    global_level: globalLock.level,
    global_reason: globalLock.reason,
    r2: 0,
    global_lock_epoch: globalLock.epochS,
    global_retry_epoch: globalLock.retryEpochS,
  });
}

/** `de17`. */
export function compensationBytes({ settings, rain, clock, agenda }: Firmware, channel: number): Uint8Array {
  const isAware = settings.channels[channel]?.isRainAware === true && settings.rain.integration !== 0;
  return CompensationStatus.write({
    ...{ channel_id: channel, rain_on: isAware ? 1 : 0, rain_mm: 0 },
    ...{ rain_reduction_pct: reduction(rain, settings.rain, channel), rain_skip: rain.skipsForRain(channel) ? 1 : 0 },
    ...{ rain_calc_epoch: clock.epochS(agenda.now), temp_on: 0, temp_c: 0, temp_factor: 1, temp_requirement: 0 },
    ...{ temp_calc_epoch: 0, any: isAware ? 1 : 0, reserved: new Uint8Array(7) },
  });
}

function reduction(rain: Firmware['rain'], settings: Firmware['settings']['rain'], channel: number): number {
  if (rain.skipsForRain(channel)) return 100;
  if (settings.integration === 0 || settings.enabled === 0) return 0;
  return Math.min(100, (rain.sumX100(DAY_S) / 100 / settings.skip_mm) * settings.sensitivity_pct);
}

/** `de18`. */
export function integrationBytes(firmware: Firmware): Uint8Array {
  const { rain, settings } = firmware;
  const { mm_per_pulse, sensitivity_pct, skip_mm, integration, enabled } = settings.rain;
  const mm = (seconds: number) => rain.sumX100(seconds) / 100;
  const each = <T>(of: (channel: number) => T) => settings.channels.map((_, channel) => of(channel));
  return RainIntegration.write({
    ...{
      active: enabled,
      enabled: integration,
      last_pulse: lastPulseS(firmware),
      mm_per_pulse,
      sensitivity_pct,
      skip_mm,
    },
    ...{ mm_1h: mm(3600), mm_24h: mm(DAY_S), mm_48h: mm(2 * DAY_S) },
    reduction: each((channel) =>
      settings.channels[channel]?.isRainAware === true ? reduction(rain, settings.rain, channel) : 0,
    ),
    skip: each((channel) => (rain.skipsForRain(channel) ? 1 : 0)),
    ...{ hourly_entries: rain.hourly.length, daily_entries: rain.daily.length },
    storage_bytes: rain.hourly.length * rain.hourly.rowBytes + rain.daily.length * rain.daily.rowBytes,
  });
}

/** `de60`, with the fields that the firmware fills wrongly or not at all (device sheet, §2.1). */
export function snapshotBytes(firmware: Firmware): Uint8Array {
  const { agenda, clock, sensor, settings, waterer, world, rain } = firmware;
  const { run } = waterer;
  const { tasks } = waterer.queue;
  const air = sensor.read();
  const isIntegrated = settings.rain.enabled !== 0 && settings.rain.integration !== 0;
  const elapsedS = run === undefined ? 0 : Math.floor((agenda.now - run.startedAt) / 1000);
  const remaining = run?.task.mode === 'minutes' ? Math.max(0, run.task.value * 60 - elapsedS) : 0;
  return BulkSnapshot.write({
    ...{ version: 1, flags: (clock.isLost ? 0 : 1) | (air === undefined ? 0 : 2) | (isIntegrated ? 4 : 0), r: 0 },
    ...{ utc: clock.epochS(agenda.now), tz_min: clock.offsetMinutes(agenda.now) },
    ...{ dst: clock.isSummer(agenda.now) ? 1 : 0, pad1: 0, mode: modeOf(run?.phase), active_alarms: 0 },
    ...{
      valves: valveBits(world),
      active_channel: run?.task.channel ?? 0xff,
      remaining_s: Math.min(0xff_ff, remaining),
    },
    flow: Math.min(0xff_ff, Math.round(world.plumbing.pulseRate)),
    ...climateOf(air),
    ...{ rain_today_x10: Math.round(rain.hourX100 / 10), rain_week_x10: 0, rain_integration: isIntegrated ? 1 : 0 },
    ...{ skip_active: 0, skip_min: 0, temp_comp: 0, rain_comp: isIntegrated ? 1 : 0, temp_adj: 0, rain_adj: 0 },
    ...{ pending: tasks.length, next_channel: tasks[0]?.channel ?? 0xff, next_min: 0xff_ff, next_epoch: 0 },
    channel_status: Uint8Array.from(settings.channels, ({ schedule }, channel) => {
      const isActive = run?.task.channel === channel;
      return (isActive ? 0x14 : 0) | (schedule.enabled === 0 ? 0 : 0x08);
    }),
  });
}

function modeOf(phase: 'opening' | 'watering' | 'paused' | 'retrying' | undefined): number {
  if (phase === undefined) return 0;
  if (phase === 'paused') return 2;
  return phase === 'retrying' ? 3 : 1;
}

function climateOf(air: ReturnType<Firmware['sensor']['read']>) {
  if (air === undefined) return { temp_x10: 0, hum_x10: 0, press_x10: 0, dew_x10: 0, vpd_x100: 0, pad2: 0 };
  const { temperatureC: t, humidityPercent, pressureHpa } = air;
  // Magnus' formula, in kPa.
  const saturated = 0.6108 * Math.exp((17.27 * t) / (t + 237.3));
  const logarithm = Math.log(Math.max(1, humidityPercent) / 100) + (17.27 * t) / (t + 237.3);
  return {
    ...{
      temp_x10: Math.round(t * 10),
      hum_x10: Math.round(humidityPercent * 10),
      press_x10: Math.round(pressureHpa * 10),
    },
    dew_x10: Math.round(((237.3 * logarithm) / (17.27 - logarithm)) * 10),
    vpd_x100: Math.round(saturated * (1 - humidityPercent / 100) * 100),
    pad2: 0,
  };
}
