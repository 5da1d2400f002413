import type { Row } from '../evidence.ts';
import { groupedBy } from '../runs/grouped-by.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';
import type { Days } from './read-days.ts';
import type { Garden } from './read-runs.ts';
import { type Measured, measuredIn, together, type WeatherMeasure } from './weather-rows.ts';

const DAY_MS = 24 * 60 * 60_000;

/** What the device's days are made of: its daily rows, and the hours after the last of them, of which it has no daily row yet. */
export async function readDeviceDays(
  store: Pick<TelemetryStore, 'measurements'>,
  { uid, hwId }: Garden,
  of: 'rain' | 'environment',
  { first, last }: Days,
): Promise<readonly Row[]> {
  const to = (last + 1) * DAY_MS - 1;
  const days = await store.measurements(uid, hwId, `${of}_daily`, first * DAY_MS, to);
  const newest = days.findLast(({ isClockLost }) => !isClockLost);
  const since = newest === undefined ? first * DAY_MS : newest.at + DAY_MS;
  return since > to ? days : [...days, ...(await store.measurements(uid, hwId, `${of}_hourly`, since, to))];
}

/** A measure by the device's days. A day that is known by its hours only is not whole. */
export function deviceDays(measure: WeatherMeasure, rows: readonly Row[]): readonly Measured[] {
  const hours = measuredIn(rows.filter(isHour), measure);
  const byHours = groupedBy(hours, ({ at }) => at - (at % DAY_MS));
  return [
    ...measuredIn(
      rows.filter((row) => !isHour(row)),
      measure,
    ),
    ...[...byHours].map(([at, parts]) => ({ at, ...together(measure, parts), isWhole: false })),
  ];
}

function isHour({ kind }: Row): boolean {
  return kind === 'rain_hourly' || kind === 'environment_hourly';
}
