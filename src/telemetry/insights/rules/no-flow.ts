import { alarmsIn, type SeenAlarm, statusesIn } from '../alarms.ts';
import { type Ending, episodesOf, type Signal } from '../episodes.ts';
import { hydraulicsIn, lockedSince, lockedUntil, risesOf } from '../hydraulics.ts';
import type { Insight } from '../insight.ts';
import type { InsightRule, Observed } from '../observed.ts';

const DAY_MS = 24 * 60 * 60_000;
const QUIET_MS = 3 * DAY_MS;
/** The device tries three times; water may come with the second (device sheet, §2.6). */
const RECOVERS_MS = 5 * 60_000;
/** A drip line may take 90 seconds to begin. */
const LONG_ENOUGH_MS = 2 * 60_000;
/** How near to each other what says the zone and what does not may be. */
const SAME_MS = DAY_MS;

/**
 * A zone that was opened and got no water: the device's locks and counters for that, runs that somebody watched in which the
 * meter stood still, and, where no zone is known, its alarm and its status.
 */
export const noFlow: InsightRule = (observed) => {
  const zones = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((channel) => inZone(observed, channel));
  const known = (at: number) =>
    zones.some(({ since, until }) => at >= since - SAME_MS && at <= (until ?? observed.to) + SAME_MS);
  const alarms = alarmsIn(observed.readings);
  const signals: readonly Signal[] = [
    ...alarms.filter((one) => isLasting(one, alarms)).map(({ at }) => ({ at, basis: 'alarm' as const })),
    ...statusesIn(observed.readings)
      .filter(({ status, at }) => status === 'no-flow' && !isRecoveredAfter(at, alarms))
      .map(({ at }) => ({ at, basis: 'status' as const })),
  ];
  const elsewhere = signals.filter(({ at }) => !known(at));
  return [...zones, ...insights(null, elsewhere, [], observed.to)];
};

function inZone({ readings, runs, to }: Observed, channel: number): readonly Insight[] {
  const hydraulics = hydraulicsIn(readings).filter((one) => one.channel === channel);
  const locks = hydraulics.flatMap(({ readAt, lock }) =>
    lock.level === 'none' || lock.reason !== 'no-flow'
      ? []
      : [{ at: lockedSince(lock, readAt), lastsUntil: lockedUntil(lock, readAt) }],
  );
  const watched = runs.flatMap(({ channel: of, volume, isClockLost, startedAt, endedAt }) =>
    of === channel && volume.basis === 'measured' && !isClockLost && endedAt !== null
      ? [{ startedAt, endedAt, millilitres: volume.millilitres, isMinimum: volume.isMinimum }]
      : [],
  );
  const flowed = watched.filter(({ millilitres }) => millilitres > 0);
  const dry = watched.filter(
    ({ millilitres, isMinimum, startedAt, endedAt }) =>
      millilitres === 0 && !isMinimum && endedAt - startedAt >= LONG_ENOUGH_MS,
  );
  const signals: readonly Signal[] = [
    ...locks.map((lock) => ({ ...lock, basis: 'hydraulic_status' as const })),
    ...risesOf(hydraulics, ({ noFlowRuns }) => noFlowRuns).map(({ at }) => ({
      at,
      basis: 'hydraulic_status' as const,
    })),
    // A device whose meter never turned may have none.
    ...(flowed.length === 0 ? [] : dry.map((run) => ({ at: run.startedAt, basis: 'watched_runs' as const }))),
  ];
  return insights(
    channel,
    signals,
    flowed.map(({ endedAt }) => ({ at: endedAt })),
    to,
  );
}

function insights(
  channel: number | null,
  signals: readonly Signal[],
  endings: readonly Ending[],
  to: number,
): readonly Insight[] {
  return episodesOf(signals, { quietMs: QUIET_MS, to, endings }).map(({ since, until, restsOn, signals: reports }) => ({
    ...{ kind: 'no_flow', channel, severity: 'danger', since, until, restsOn, isEstimate: false },
    facts: { reports },
  }));
}

function isLasting({ at, alarm }: SeenAlarm, all: readonly SeenAlarm[]): boolean {
  return alarm.kind === 'no-flow' && !isRecoveredAfter(at, all);
}

function isRecoveredAfter(at: number, alarms: readonly SeenAlarm[]): boolean {
  return alarms.some(
    (other) =>
      other.alarm.kind === 'recovered' &&
      other.alarm.from === 'no-flow' &&
      other.at >= at &&
      other.at <= at + RECOVERS_MS,
  );
}
