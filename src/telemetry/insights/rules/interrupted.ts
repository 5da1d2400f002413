import { episodesOf } from '../episodes.ts';
import type { InsightRule } from '../observed.ts';

const QUIET_MS = 7 * 24 * 60 * 60_000;

/** Runs that a restart of the device cut off, as its uptime or a phone that watched says. */
export const interrupted: InsightRule = ({ runs, to }) => {
  const cut = runs.filter(({ outcome }) => outcome === 'interrupted');
  const signals = cut.flatMap(({ startedAt, endedAt, restsOn }) =>
    restsOn
      .filter((basis) => basis === 'watched' || basis === 'reboot')
      .map((basis) => ({
        at: endedAt ?? startedAt,
        basis: basis === 'reboot' ? ('uptime' as const) : ('watched_runs' as const),
      })),
  );
  return episodesOf(signals, { quietMs: QUIET_MS, to }).map(({ since, lastAt, until, restsOn }) => {
    const times = cut.map(({ startedAt, endedAt }) => endedAt ?? startedAt).filter((at) => at >= since && at <= lastAt);
    return {
      ...{ kind: 'interrupted', channel: null, severity: 'warning', since, until, restsOn, isEstimate: false },
      facts: { runs: times.length },
    };
  });
};
