import type { Reading } from '../../evidence.ts';
import type { Run } from '../../run.ts';
import { groupedBy } from '../../runs/grouped-by.ts';
import { alarmsIn } from '../alarms.ts';
import { episodesOf, type Signal } from '../episodes.ts';
import { hydraulicsIn, lockedSince, lockedUntil, risesOf } from '../hydraulics.ts';
import type { Insight } from '../insight.ts';
import type { InsightRule } from '../observed.ts';
import { usualOf } from '../robust.ts';

const LAST_CHANNEL = 7;
const MINUTE_MS = 60_000;
const QUIET_MS = 14 * 24 * 60 * MINUTE_MS;
/** A zone is compared with its last runs that somebody measured. */
const LAST_RUNS = 20;
const LEAST_RUNS = 6;
/** Shorter ones are mostly the pipe's filling. */
const LEAST_MINUTES = 2;
const DEVIATIONS = 6;
/** The device's own tolerance for a learned flow is 30 % (device sheet, §2.5). */
const LEAST_SHARE = 0.25;
/** One run may be a measurement gone wrong. */
const IN_A_ROW = 2;

/**
 * A zone that takes much more water a minute than in its past: the device stopped it for that, or runs that somebody watched.
 * A minute's flow is compared and not a day's litres, because
 * schedules change with the seasons and with their owner.
 */
export const highUse: InsightRule = ({ readings, runs, to }) => {
  const stops = stoppedByDevice(readings);
  const watched = groupedBy(measured(runs), ({ channel }) => channel);
  const channels = new Set([...watched.keys(), ...stops.map(({ channel }) => channel)]);
  return [...channels].flatMap((channel) => {
    const own = watched.get(channel) ?? [];
    const high = highRuns(own);
    const signals: readonly Signal[] = [
      ...high.map(({ at }) => ({ at, basis: 'watched_runs' as const })),
      ...stops.filter((stop) => stop.channel === channel),
    ];
    const endings = own.filter((run) => !high.some(({ at }) => at === run.at));
    return episodesOf(signals, { quietMs: QUIET_MS, to, endings })
      .filter(({ restsOn, signals: count }) => count >= IN_A_ROW || !restsOn.includes('watched_runs'))
      .map(({ since, lastAt, until, restsOn }): Insight => {
        const percents = high.filter(({ at }) => at >= since && at <= lastAt).map(({ percent }) => percent);
        return {
          ...{ kind: 'high_use', channel, severity: 'warning', since, until, restsOn, isEstimate: false },
          facts: percents.length === 0 ? {} : { percent: Math.max(...percents), runs: percents.length },
        };
      });
  });
};

/** The device stops and locks a zone by itself that takes more than its learned flow allows. */
function stoppedByDevice(readings: readonly Reading[]): readonly (Signal & { readonly channel: number })[] {
  const hydraulics = hydraulicsIn(readings);
  return [
    ...alarmsIn(readings).flatMap(({ at, alarm }) =>
      alarm.kind === 'high-flow' && alarm.channel <= LAST_CHANNEL
        ? [{ channel: alarm.channel, at, basis: 'alarm' as const }]
        : [],
    ),
    ...hydraulics.flatMap(({ channel, readAt, lock }) =>
      lock.level === 'none' || lock.reason !== 'high-flow'
        ? []
        : [
            {
              ...{ channel, at: lockedSince(lock, readAt), basis: 'hydraulic_status' as const },
              lastsUntil: lockedUntil(lock, readAt),
            },
          ],
    ),
    ...risesOf(hydraulics, ({ highFlowRuns }) => highFlowRuns).map((rise) => ({
      ...rise,
      basis: 'hydraulic_status' as const,
    })),
  ];
}

interface Flow {
  readonly channel: number;
  readonly at: number;
  /** Millilitres a minute. */
  readonly flow: number;
}

function measured(runs: readonly Run[]): readonly Flow[] {
  return runs.flatMap(({ channel, startedAt, endedAt, volume, isClockLost }) => {
    if (volume.basis !== 'measured' || volume.isMinimum || endedAt === null || isClockLost) return [];
    const minutes = (endedAt - startedAt) / MINUTE_MS;
    return minutes < LEAST_MINUTES || volume.millilitres === 0
      ? []
      : [{ channel, at: startedAt, flow: volume.millilitres / minutes }];
  });
}

/** Runs that took more than usual; what is unusual does not become usual. */
function highRuns(flows: readonly Flow[]): readonly { readonly at: number; readonly percent: number }[] {
  const usual: number[] = [];
  return flows.flatMap(({ at, flow }) => {
    const past = usual.length < LEAST_RUNS ? undefined : usualOf(usual.slice(-LAST_RUNS));
    if (past !== undefined && flow > past.usual + Math.max(DEVIATIONS * past.spread, LEAST_SHARE * past.usual)) {
      return [{ at, percent: Math.round((flow / past.usual - 1) * 100) }];
    }
    usual.push(flow);
    return [];
  });
}
