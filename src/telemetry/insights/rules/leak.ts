import type { Lock } from '@autowatering/device-data';
import { alarmsIn, statusesIn } from '../alarms.ts';
import { type Ending, episodesOf, type Signal } from '../episodes.ts';
import { type Hydraulics, hydraulicsIn, lockedSince, lockedUntil, risesOf } from '../hydraulics.ts';
import type { InsightRule } from '../observed.ts';
import { flowWithValvesShut } from './flow-with-valves-shut.ts';

const QUIET_MS = 7 * 24 * 60 * 60_000;

/**
 * Water that flows with all valves shut: the device's alarms 2 and 6, its locks for that or for flow that did not stop, its
 * counter of such flow, its status, or a phone that saw the meter turn while nothing was open.
 */
export const leak: InsightRule = ({ readings, to }) => {
  const alarms = alarmsIn(readings);
  const hydraulics = hydraulicsIn(readings);
  const signals: readonly Signal[] = [
    ...alarms
      .filter(({ alarm: { kind } }) => kind === 'mainline-leak' || kind === 'unexpected-flow')
      .map(({ at }) => ({ at, basis: 'alarm' as const })),
    ...hydraulics.flatMap(lockSignals),
    ...risesOf(hydraulics, ({ unexpectedRuns }) => unexpectedRuns).map(({ at }) => ({
      at,
      basis: 'hydraulic_status' as const,
    })),
    ...statusesIn(readings)
      .filter(({ status }) => status === 'unexpected-flow')
      .map(({ at }) => ({ at, basis: 'status' as const })),
    ...flowWithValvesShut(readings).map((at) => ({ at, basis: 'flow_meter' as const })),
  ];
  const endings: readonly Ending[] = alarms.filter(
    ({ alarm }) => alarm.kind === 'recovered' && alarm.from === 'unexpected-flow',
  );
  return episodesOf(signals, { quietMs: QUIET_MS, to, endings }).map(({ since, until, restsOn, signals: reports }) => ({
    ...{ kind: 'leak', channel: null, severity: 'critical', since, until, restsOn, isEstimate: false },
    facts: { reports },
  }));
};

function lockSignals({ readAt, lock, globalLock }: Hydraulics): readonly Signal[] {
  return [
    ...(isForLeak(lock) ? [lock] : []),
    ...(isForLeak(globalLock) || isFlowing(globalLock) ? [globalLock] : []),
  ].map((one) => ({ at: lockedSince(one, readAt), basis: 'hydraulic_status', lastsUntil: lockedUntil(one, readAt) }));
}

function isForLeak(lock: Lock): boolean {
  return lock.level !== 'none' && (lock.reason === 'unexpected-flow' || lock.reason === 'mainline-leak');
}

/** Everything is locked for high flow when it goes on with the valve shut. */
function isFlowing(lock: Lock): boolean {
  return lock.level !== 'none' && lock.reason === 'high-flow';
}
