import { statusesIn } from '../alarms.ts';
import { episodesOf } from '../episodes.ts';
import type { InsightRule } from '../observed.ts';

const QUIET_MS = 7 * 24 * 60 * 60_000;

/** A device that lost its clock: its rows are of 2023, or its status says so (device sheet, §0.6). */
export const clockLost: InsightRule = ({ readings, wateringRows, rainHours, weatherHours, to }) => {
  const rows = [...wateringRows, ...rainHours, ...weatherHours].filter(({ isClockLost }) => isClockLost);
  const signals = [
    ...rows.map(({ at }) => ({ at, basis: 'clock' as const })),
    ...statusesIn(readings)
      .filter(({ status }) => status === 'rtc-error')
      .map(({ at }) => ({ at, basis: 'status' as const })),
  ];
  return episodesOf(signals, { quietMs: QUIET_MS, to }).map(({ since, until, restsOn }) => ({
    ...{ kind: 'clock_lost', channel: null, severity: 'warning', since, until, restsOn, isEstimate: false, facts: {} },
  }));
};
