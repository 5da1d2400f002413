import {
  Alarm,
  CurrentTask,
  Diagnostics,
  EnvironmentalData,
  EnvironmentDaily,
  EnvironmentHourly,
  FlowSensor,
  HydraulicStatus,
  RainDaily,
  RainHourly,
  ValveControl,
} from '@autowatering/device-data';
import type { Reading, ReadingKind, Row, RowKind } from '../../src/telemetry/evidence.ts';
import { nothingObserved, type Observed } from '../../src/telemetry/insights/observed.ts';
import { insightsIn } from '../../src/telemetry/insights/rules.ts';
import { rollUp } from '../../src/telemetry/rollups/roll-up.ts';
import { runsOf } from '../../src/telemetry/runs/runs.ts';
import { deviceBytes } from './device-bytes.ts';
import { DAY, evidenceOf, HOUR, type Piece } from './garden-evidence.ts';

const ZONES = [{ since: 0, zone: 'Europe/Bucharest' }];
const seconds = (ms: number) => Math.floor(ms / 1000);

/** A garden's evidence, as insights are drawn from it at `to`: of the 30 days before, unless told otherwise. */
export function observed(
  to: number,
  {
    watering = [],
    from = to - 30 * DAY,
    ...more
  }: { readonly watering?: readonly Piece[]; readonly from?: number } & Partial<Omit<Observed, 'runs' | 'days'>>,
): Observed {
  const evidence = evidenceOf(...watering);
  const runs = runsOf(evidence);
  const { days } = rollUp(runs, ZONES, { from: 0, to: to + 1 });
  const readings = [...(more.readings ?? [])].sort((one, other) => one.readAt - other.readAt);
  return {
    ...nothingObserved(from, to),
    ...{ zones: ZONES, runs, days, wateringRows: evidence.rows, reboots: evidence.reboots },
    ...more,
    readings,
  };
}

/** The kinds of insights with their zones that are more than information, such as `leak` or `lock 3`. */
export function warningsIn(garden: Observed): readonly string[] {
  return insightsIn(garden)
    .filter(({ severity }) => severity !== 'info')
    .map(({ kind, channel }) => (channel === null ? kind : `${kind} ${channel}`));
}

const sample = (kind: ReadingKind, readAt: number, bytes: Uint8Array, uptimeMs: number | null = null): Reading => ({
  ...{ kind, readAt, uptimeMs, bytes },
});
export const statusAt = (at: number, code: number) => sample('status', at, Uint8Array.of(code));
export const alarmAt = (at: number, code: number, data: number, readAt = at) =>
  sample('alarm', readAt, Alarm.write({ alarm_code: code, alarm_data: data, epoch: seconds(at) }));
export const flowAt = (at: number, pulses: number) => sample('flow', at, FlowSensor.write({ value: pulses }));
export const valvesAt = (at: number, bits: number) =>
  sample('diagnostics', at, deviceBytes(Diagnostics, { uptime_min: 500, valve_bitmap: bits, battery: 255 }));
export const valveAt = (at: number, channel: number, isOpen: boolean) =>
  sample('valve', at, deviceBytes(ValveControl, { channel_id: channel, task_type: isOpen ? 1 : 0 }));
export const taskAt = (at: number, channel: number) =>
  sample(
    'task',
    at,
    deviceBytes(CurrentTask, {
      ...{ channel_id: channel, start_uptime_s: 60, target: 600, current: 30, total_volume_ml: 1_000, status: 1 },
    }),
  );
export const sensorAt = (at: number, isThere: boolean, ageMs = 0) =>
  sample(
    'environment',
    at,
    deviceBytes(EnvironmentalData, {
      ...{ temp_c: 21, humidity_pct: 50, pressure_hpa: 1013, uptime_ms: 5 * HOUR - ageMs },
      ...{ sensor_status: isThere ? 1 : 0, interval_s: 60, quality: 90 },
    }),
    5 * HOUR,
  );

export interface HydraulicsAsTold {
  readonly level?: number;
  readonly reason?: number;
  readonly since?: number;
  readonly retry?: number;
  readonly globalLevel?: number;
  readonly globalReason?: number;
  readonly noFlowRuns?: number;
  readonly anomalyAt?: number;
}

export const hydraulicsAt = (at: number, channel: number, told: HydraulicsAsTold = {}) => {
  const { level = 0, reason = 0, since = 0, retry = 0, globalLevel = 0, globalReason = 0 } = told;
  return sample(
    'hydraulic',
    at,
    deviceBytes(HydraulicStatus, {
      ...{ channel_id: channel, profile: 1, lock_level: level, lock_reason: reason, nominal_ml_min: 2_000, ramp_s: 5 },
      ...{ tol_high_pct: 30, tol_low_pct: 40, calibrated: 1, monitoring: 1, learning_runs: 5, stable_runs: 5 },
      ...{ lock_epoch: seconds(since), retry_epoch: seconds(retry), no_flow_runs: told.noFlowRuns ?? 0 },
      ...{ last_anomaly_epoch: seconds(told.anomalyAt ?? 0), global_level: globalLevel, global_reason: globalReason },
      global_lock_epoch: seconds(globalLevel === 0 ? 0 : since),
    }),
  );
};

const row = (kind: RowKind, at: number, bytes: Uint8Array, readAt = at + HOUR): Row => ({
  ...{ kind, at, isClockLost: false, readAt, bytes },
});
/** Hours from a moment on, each of its own temperature in °C, with humidity and pressure to match. */
export const weatherHours = (from: number, celsius: readonly number[]): readonly Row[] =>
  celsius.map((value, hour) => {
    const at = from + hour * HOUR;
    const t = Math.round(value * 100);
    return row(
      'environment_hourly',
      at,
      EnvironmentHourly.write({
        ...{ epoch: seconds(at), t_avg_x100: t, t_min_x100: t, t_max_x100: t },
        ...{ h_avg_x100: 9_000 - t, p_avg_pa: 101_000 + t },
      }),
    );
  });
export const weatherDays = (from: number, ranges: readonly (readonly [number, number])[]): readonly Row[] =>
  ranges.map(([low, high], day) => {
    const at = from + day * DAY;
    return row(
      'environment_daily',
      at,
      EnvironmentDaily.write({
        ...{ date_yyyymmdd: Number(new Date(at).toISOString().slice(0, 10).replaceAll('-', '')) },
        ...{ t_avg_x100: low * 100, t_min_x100: low * 100, t_max_x100: high * 100, h_avg_x100: 5_000 },
        ...{ h_min_x100: 5_000 - high * 100, h_max_x100: 5_000 - low * 100, p_avg_pa: 101_000, samples: 24 },
      }),
    );
  });
export const rainHours = (from: number, hours: number): readonly Row[] =>
  Array.from({ length: hours }, (_, hour) => {
    const at = from + hour * HOUR;
    return row('rain_hourly', at, RainHourly.write({ hour_epoch: seconds(at), mm_x100: 0, pulses: 0, quality: 100 }));
  });
export const rainDays = (from: number, millimetres: readonly number[]): readonly Row[] =>
  millimetres.map((mm, day) => {
    const at = from + day * DAY;
    return row(
      'rain_daily',
      at,
      RainDaily.write({
        ...{ day_epoch_utc: seconds(at), total_x100: mm * 100, max_hour_x100: mm * 50, active_hours: mm > 0 ? 2 : 0 },
        completeness_pct: 100,
      }),
    );
  });
