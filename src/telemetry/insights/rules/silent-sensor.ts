import { EnvironmentalData } from '@autowatering/device-data';
import { alarmsIn } from '../alarms.ts';
import { type Ending, episodesOf, type Signal } from '../episodes.ts';
import type { InsightRule, Observed } from '../observed.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const QUIET_MS = 14 * DAY_MS;
/** The device believes a value for ten minutes (device sheet, §2.6), and tells its uptime by the minute. */
const STALE_MS = 12 * 60_000;
/** The device fills up to 24 hours in; more than that it lost. */
const MISSING_MS = 26 * HOUR_MS;
const UPTIME_WRAP_MS = 2 ** 32;

/**
 * A weather sensor that was there and says nothing any more: it is absent when read, its value is old, or its hours are
 * missing while the device kept those of rain.
 */
export const silentSensor: InsightRule = (observed) => {
  const { present, silent } = samplesOf(observed);
  const signals: readonly Signal[] = [
    ...silent.map((at) => ({ at, basis: 'weather_sensor' as const, lastsUntil: Number.POSITIVE_INFINITY })),
    ...alarmsIn(observed.readings)
      .filter(({ alarm }) => alarm.kind === 'freeze-unknown')
      .map(({ at }) => ({ at, basis: 'alarm' as const })),
    ...missingHours(observed),
  ];
  const heard = [...observed.weatherHours.filter(({ isClockLost }) => !isClockLost).map(({ at }) => at), ...present];
  const first = Math.min(...heard);
  // A device that never had one is not broken.
  const had = signals.filter(({ at }) => at > first);
  const endings: readonly Ending[] = heard.map((at) => ({ at }));
  return episodesOf(had, { quietMs: QUIET_MS, to: observed.to, endings }).map(({ since, until, restsOn }) => ({
    ...{
      kind: 'silent_sensor',
      channel: null,
      severity: 'warning',
      since,
      until,
      restsOn,
      isEstimate: false,
      facts: {},
    },
  }));
};

function samplesOf({ readings }: Observed): {
  readonly present: readonly number[];
  readonly silent: readonly number[];
} {
  const [present, silent]: [number[], number[]] = [[], []];
  for (const { kind, readAt, uptimeMs, bytes } of readings) {
    const sample = kind === 'environment' ? EnvironmentalData.read(bytes) : undefined;
    if (sample === undefined) continue;
    const age = uptimeMs === null ? 0 : (uptimeMs - sample.uptime_ms + UPTIME_WRAP_MS) % UPTIME_WRAP_MS;
    // Firmware may stamp it in seconds since 1970 instead, as its documents say.
    const isEpoch = Math.abs(readAt - sample.uptime_ms * 1000) < DAY_MS;
    // An age of nearly a wrap is a stamp slightly ahead of the minutes.
    const isStale = !isEpoch && age > STALE_MS && age < UPTIME_WRAP_MS / 2;
    if (sample.sensor_status === 0 || isStale) silent.push(readAt);
    else present.push(readAt);
  }
  return { present, silent };
}

/** Where hours of rain follow hours of weather, for longer than the device fills in. */
function missingHours({ rainHours, weatherHours }: Observed): readonly Signal[] {
  const weather = weatherHours.filter(({ isClockLost }) => !isClockLost).map(({ at }) => at);
  const rain = rainHours.filter(({ isClockLost }) => !isClockLost).map(({ at }) => at);
  return weather.flatMap((at, index) => {
    const next = weather[index + 1] ?? Number.POSITIVE_INFINITY;
    if (next - at < MISSING_MS) return [];
    const missing = rain.filter((hour) => hour > at && hour < next);
    const last = missing.at(-1);
    if (last === undefined || missing.length * HOUR_MS < MISSING_MS) return [];
    return [{ at: at + HOUR_MS, basis: 'weather_hours', lastsUntil: next === Number.POSITIVE_INFINITY ? next : last }];
  });
}
