import { dayOfNumber, startOfDay, type ZoneTimeline } from '../rollups/local-day.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';
import { deviceDays, readDeviceDays } from './device-days.ts';
import type { Resolution } from './periods.ts';
import type { Point } from './point.ts';
import { type Days, readDays, wholeDays } from './read-days.ts';
import { type Garden, readRuns, type Stretch } from './read-runs.ts';
import { thin } from './thin.ts';
import { flowSeries, litresByHour, litresByPeriod } from './water-series.ts';
import { measuredIn, WEATHER_MEASURES, type WeatherMeasure } from './weather-rows.ts';
import { dayPoints, hourPoints, longPoints } from './weather-series.ts';

export const WATER_MEASURES = ['litres', 'flow'] as const;
export const MEASURES = [...WATER_MEASURES, ...WEATHER_MEASURES] as const;
export type Measure = (typeof MEASURES)[number];
export const UNITS: Readonly<Record<Measure, string>> = {
  litres: 'l',
  flow: 'l/min',
  rain: 'mm',
  temperature: '°C',
  humidity: '%',
  pressure: 'hPa',
};

export const MOST_POINTS = 2_000;
const DAY_MS = 24 * 60 * 60_000;

export interface SeriesRequest {
  readonly garden: Garden;
  readonly measure: Measure;
  readonly resolution: Resolution;
  readonly stretch: Stretch;
  readonly zones: ZoneTimeline;
  /** Of litres and flow; undefined for all together. */
  readonly channel: number | undefined;
}

export interface Series {
  readonly points: readonly Point[];
  /** Before thinning. */
  readonly pointsInAll: number;
}

type Store = Pick<TelemetryStore, 'evidence' | 'rollUps' | 'measurements'>;

/** Points of a measure, the oldest first. Days, months and years are whole ones: all that the stretch touches. */
export async function readSeries(store: Store, request: SeriesRequest): Promise<Series> {
  const points = await allPoints(store, request);
  return { points: thin(points, MOST_POINTS), pointsInAll: points.length };
}

async function allPoints(store: Store, request: SeriesRequest): Promise<readonly Point[]> {
  const { garden, measure, resolution, stretch, zones, channel } = request;
  const isOfChannel = (of: { readonly channel: number }) => channel === undefined || of.channel === channel;
  if (measure === 'flow') {
    const days = resolution === 'hour' ? stretch : boundsOfDays(zones, wholeDays(zones, stretch, resolution));
    return flowSeries((await readRuns(store, garden, days)).filter(isOfChannel), resolution, zones);
  }
  if (measure !== 'litres') return weatherPoints(store, { ...request, measure });
  if (resolution === 'hour') return litresByHour((await readRuns(store, garden, stretch)).filter(isOfChannel), zones);
  const { days } = await readDays(store, garden, zones, wholeDays(zones, stretch, resolution));
  return litresByPeriod(days.filter(isOfChannel), resolution, zones);
}

async function weatherPoints(
  store: Store,
  { garden, measure, resolution, stretch, zones }: SeriesRequest & { readonly measure: WeatherMeasure },
): Promise<readonly Point[]> {
  const [hourly, daily] =
    measure === 'rain'
      ? (['rain_hourly', 'rain_daily'] as const)
      : (['environment_hourly', 'environment_daily'] as const);
  const read = async (kind: typeof hourly | typeof daily, { from, to }: Stretch) =>
    measuredIn(await store.measurements(garden.uid, garden.hwId, kind, from, to - 1), measure);
  if (resolution === 'hour') return hourPoints(await read(hourly, stretch));
  const days = wholeDays(zones, stretch, resolution);
  if (resolution !== 'day') {
    const rows = await readDeviceDays(store, garden, measure === 'rain' ? 'rain' : 'environment', days);
    return longPoints(measure, deviceDays(measure, rows), resolution, zones);
  }
  const [ofDays, hours] = await Promise.all([
    read(daily, { from: days.first * DAY_MS, to: (days.last + 1) * DAY_MS }),
    read(hourly, boundsOfDays(zones, days)),
  ]);
  const [first, last] = [dayOfNumber(days.first), dayOfNumber(days.last)];
  return dayPoints(measure, { hours, days: ofDays }, zones).filter(
    ({ period }) => period !== null && period >= first && period <= last,
  );
}

function boundsOfDays(zones: ZoneTimeline, { first, last }: Days): Stretch {
  return { from: startOfDay(zones, first), to: startOfDay(zones, last + 1) };
}
