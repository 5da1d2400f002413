import {
  EnvironmentDaily,
  EnvironmentHourly,
  HistoryDetailedEntry,
  RainDaily,
  RainHourly,
} from '@autowatering/device-data';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const CHANNELS = 8;
const RING_ROWS = 30;

/** How many days back a device's rings go (device sheet, §4). */
export const DEPTHS = { rain_hourly: 30, environment_hourly: 30, rain_daily: 1_825, environment_daily: 372 } as const;
export type MeasurementKind = keyof typeof DEPTHS;

export interface Read {
  readonly kind: MeasurementKind | 'watering';
  readonly channel?: number;
  readonly read_at: number;
  /** In base64. */
  readonly rows: string;
  readonly count: number;
}

/**
 * What a device with eight zones has in its rings, with weather that is as noisy as a real sensor's. The same moments
 * always have the same weather.
 */
export interface DeviceHistory {
  /** Rows of a kind from one time until before another. */
  measurements(kind: MeasurementKind, from: number, to: number, readAt: number): Read;
  /** All of each zone's ring. Four zones a day are watered. */
  watering(readAt: number): readonly Read[];
}

export function deviceHistory(seed: number): DeviceHistory {
  const chance = (...at: readonly number[]) => noise(seed, ...at);
  const weather = (at: number) => {
    const hour = Math.floor(at / HOUR_MS);
    const season = Math.sin((2 * Math.PI * (at / DAY_MS - 110)) / 365);
    const daytime = Math.sin((2 * Math.PI * (at / HOUR_MS - 9)) / 24);
    const front = Math.sin(at / (DAY_MS * 1.7)) + Math.sin(at / (DAY_MS * 4.3));
    const celsius = 11 + 11 * season + 5 * daytime + 2 * front + (chance(hour, 1) - 0.5) * 0.8;
    const humidity = 62 - 14 * daytime - 6 * season + 8 * front + (chance(hour, 2) - 0.5) * 4;
    const pascal = 101_325 + 700 * front + (chance(hour, 3) - 0.5) * 60;
    return {
      celsiusX100: Math.round(celsius * 100),
      humidityX100: Math.round(Math.min(100, Math.max(5, humidity)) * 100),
      pascal: Math.round(pascal),
    };
  };
  /** Millimetres × 100; it rains in a few hours of every fifth day. */
  const rain = (at: number) => {
    const isWet = chance(Math.floor(at / DAY_MS), 4) < 0.2 && chance(Math.floor(at / HOUR_MS), 5) < 0.25;
    return isWet ? Math.round(chance(Math.floor(at / HOUR_MS), 6) * 12) * 20 : 0;
  };
  const hoursOf = (day: number) => Array.from({ length: 24 }, (_, hour) => day + hour * HOUR_MS);

  const rows: Readonly<Record<MeasurementKind, (at: number) => Uint8Array>> = {
    rain_hourly: (at) =>
      RainHourly.write({ hour_epoch: at / 1_000, mm_x100: rain(at), pulses: rain(at) / 20, quality: 100 }),
    rain_daily(at) {
      const hours = hoursOf(at).map(rain);
      return RainDaily.write({
        ...{ day_epoch_utc: at / 1_000, total_x100: hours.reduce((sum, one) => sum + one, 0) },
        ...{ max_hour_x100: Math.max(...hours), active_hours: hours.filter((one) => one > 0).length },
        completeness_pct: 100,
      });
    },
    environment_hourly(at) {
      const { celsiusX100, humidityX100, pascal } = weather(at);
      return EnvironmentHourly.write({
        ...{ epoch: at / 1_000, t_avg_x100: celsiusX100, t_min_x100: celsiusX100, t_max_x100: celsiusX100 },
        ...{ h_avg_x100: humidityX100, p_avg_pa: pascal },
      });
    },
    environment_daily(at) {
      const hours = hoursOf(at).map(weather);
      const of = (pick: (one: (typeof hours)[number]) => number) => {
        const values = hours.map(pick);
        const mean = Math.round(values.reduce((sum, one) => sum + one, 0) / values.length);
        return [mean, Math.min(...values), Math.max(...values)] as const;
      };
      const [t, tMin, tMax] = of(({ celsiusX100 }) => celsiusX100);
      const [h, hMin, hMax] = of(({ humidityX100 }) => humidityX100);
      const [pascal] = of((one) => one.pascal);
      return EnvironmentDaily.write({
        ...{ date_yyyymmdd: Number(new Date(at).toISOString().slice(0, 10).replaceAll('-', '')) },
        ...{ t_avg_x100: t, t_min_x100: tMin, t_max_x100: tMax, h_avg_x100: h, h_min_x100: hMin, h_max_x100: hMax },
        ...{ p_avg_pa: pascal, samples: 24 },
      });
    },
  };

  const started = (at: number, channel: number) =>
    HistoryDetailedEntry.write({
      ...{ epoch: Math.floor(at / 1_000), channel_id: channel, event: 1, mode: 1, target: 8 + channel, actual: 0 },
      ...{ actual_copy: 0, trigger: 1, success: 0, error: 0, avg_flow_ml_s: 0, zero: new Uint8Array(6) },
    });

  return {
    measurements(kind, from, to, readAt) {
      const step = kind === 'rain_hourly' || kind === 'environment_hourly' ? HOUR_MS : DAY_MS;
      const ats: number[] = [];
      for (let at = Math.ceil(from / step) * step; at < to; at += step) ats.push(at);
      return readOf(kind, undefined, readAt, ats.map(rows[kind]));
    },
    watering(readAt) {
      return Array.from({ length: CHANNELS }, (_, channel) => {
        const list: Uint8Array[] = [];
        // Even zones on even days.
        for (let day = Math.floor(readAt / DAY_MS); list.length < RING_ROWS; day -= 1) {
          const at = day * DAY_MS + (4 * 60 + channel * 20) * MINUTE_MS + chance(day, channel, 7) * 90_000;
          if (day % 2 === channel % 2 && at < readAt) list.unshift(started(at, channel));
        }
        return readOf('watering', channel, readAt, list);
      });
    },
  };
}

function readOf(kind: Read['kind'], channel: number | undefined, readAt: number, rows: readonly Uint8Array[]): Read {
  return {
    ...{ kind, read_at: readAt, rows: Buffer.concat(rows).toString('base64'), count: rows.length },
    ...(channel === undefined ? {} : { channel }),
  };
}

/** A number in [0, 1) that looks random and is the same for the same numbers. */
function noise(...numbers: readonly number[]): number {
  let hash = 0x9e_37_79_b9;
  for (const number of numbers) {
    hash = Math.imul(hash ^ (number | 0), 0x85_eb_ca_6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2_b2_ae_35);
    hash ^= hash >>> 16;
  }
  return (hash >>> 0) / 2 ** 32;
}
