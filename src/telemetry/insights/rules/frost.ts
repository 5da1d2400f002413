import { measuredIn } from '../../reading/weather-rows.ts';
import { alarmsIn, statusesIn } from '../alarms.ts';
import { episodesOf, type Signal } from '../episodes.ts';
import type { InsightRule } from '../observed.ts';

const HOUR_MS = 60 * 60_000;
const QUIET_MS = 48 * HOUR_MS;
/** The device waters nothing at or below this, until it is two degrees warmer (device sheet, §2.6). */
const FREEZES_C = 2;

/** Frost at the device, or watering that it refused for fear of it. Nights that follow each other are one. */
export const frost: InsightRule = ({ readings, runs, weatherHours, to }) => {
  const cold = [
    ...measuredIn(weatherHours, 'temperature').map(({ at, min }) => ({
      at,
      celsius: min,
      basis: 'weather_hours' as const,
    })),
    ...alarmsIn(readings).flatMap(({ at, alarm }) =>
      alarm.kind === 'freeze' ? [{ at, celsius: alarm.celsius, basis: 'alarm' as const }] : [],
    ),
  ].filter(({ celsius }) => celsius <= FREEZES_C);
  const signals: readonly Signal[] = [
    ...cold,
    ...statusesIn(readings)
      .filter(({ status }) => status === 'freeze-lockout')
      .map(({ at }) => ({ at, basis: 'status' as const })),
    ...runs
      .filter(({ skipReason, isClockLost }) => skipReason === 'freeze' && !isClockLost)
      .map(({ startedAt }) => ({ at: startedAt, basis: 'skip_rows' as const })),
  ];
  return episodesOf(signals, { quietMs: QUIET_MS, to }).map(({ since, lastAt, until, restsOn }) => {
    const celsius = cold.filter(({ at }) => at >= since && at <= lastAt).map((one) => one.celsius);
    return {
      ...{ kind: 'frost', channel: null, severity: 'warning', since, until, restsOn, isEstimate: false },
      facts: celsius.length === 0 ? {} : { coldest_celsius: Math.min(...celsius) },
    };
  });
};
