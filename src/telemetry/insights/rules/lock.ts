import type { Lock } from '@autowatering/device-data';
import { alarmsIn } from '../alarms.ts';
import { type Ending, episodesOf, type Signal } from '../episodes.ts';
import { type Hydraulics, hydraulicsIn, lockedSince, lockedUntil, retryAt } from '../hydraulics.ts';
import type { Insight } from '../insight.ts';
import type { InsightRule, Observed } from '../observed.ts';

/** What the device locked: a zone, or everything (channel null), with the time at which it tries again by itself. */
export const lock: InsightRule = (observed) =>
  [null, 0, 1, 2, 3, 4, 5, 6, 7].flatMap((channel) => locksOf(observed, channel));

interface Seen {
  readonly readAt: number;
  readonly lock: Lock;
}

function locksOf({ readings, to }: Observed, channel: number | null): readonly Insight[] {
  const seen = hydraulicsIn(readings).flatMap((sample) => seenIn(sample, channel));
  const alarms = alarmsIn(readings).filter(({ alarm }) =>
    channel === null ? alarm.kind === 'global-lock' : alarm.kind === 'channel-lock' && alarm.channel === channel,
  );
  const signals: Signal[] = [
    // An alarm says neither level nor reason; it holds until the status was read.
    ...alarms.map(({ at }) => ({ at, basis: 'alarm' as const, lastsUntil: Number.POSITIVE_INFINITY })),
    ...seen.flatMap(({ readAt, lock }): readonly Signal[] => {
      if (lock.level === 'none') return [];
      const lastsUntil = lockedUntil(lock, readAt);
      // Both when it began and when it was seen last.
      return [lockedSince(lock, readAt), readAt].map((at) => ({ at, basis: 'hydraulic_status', lastsUntil }));
    }),
  ];
  const endings: Ending[] = seen.filter(({ lock }) => lock.level === 'none').map(({ readAt }) => ({ at: readAt }));
  return episodesOf(signals, { quietMs: 0, to, endings }).map(({ since, until, restsOn, lastAt }) => {
    const latest = seen.findLast(({ readAt, lock }) => readAt <= lastAt && lock.level !== 'none');
    return {
      ...{ kind: 'lock', channel, severity: channel === null ? 'critical' : 'danger', since, until, restsOn },
      ...{ isEstimate: false, facts: latest === undefined || latest.readAt < since ? {} : factsOf(latest) },
    };
  });
}

function seenIn({ readAt, channel, lock, globalLock }: Hydraulics, wanted: number | null): readonly Seen[] {
  if (wanted === null) return [{ readAt, lock: globalLock }];
  return channel === wanted ? [{ readAt, lock }] : [];
}

function factsOf({ readAt, lock }: Seen): Insight['facts'] {
  if (lock.level === 'none') return {};
  const retry = retryAt(lock, readAt);
  return { level: lock.level, reason: lock.reason, ...(retry === null ? {} : { retry_at: retry }) };
}
