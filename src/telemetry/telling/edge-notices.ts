import type { DeviceStatus, Lock } from '@autowatering/device-data';
import type { Notice } from '../../notifications/index.ts';
import type { Serial } from '../../platform/ids.ts';
import type { Reading } from '../evidence.ts';
import { statusesIn } from '../insights/alarms.ts';
import { type Hydraulics, hydraulicsIn, lockedSince, retryAt, risesOf } from '../insights/hydraulics.ts';

/**
 * What turned bad between two looks at a device: alarms exist only while somebody listens, locks and counters stay.
 *
 * @param before the last samples that were known
 * @param readings new ones, the oldest first; those from before what was known are history
 */
export function edgeNotices(
  serial: Serial,
  before: readonly Reading[],
  readings: readonly Reading[],
): readonly Notice[] {
  const known = hydraulicsIn(before);
  const hydraulics = hydraulicsIn(readings).filter(
    ({ channel, readAt }) => !known.some((one) => one.channel === channel && one.readAt >= readAt),
  );
  const sequence = [...known, ...hydraulics].sort((one, other) => one.readAt - other.readAt);
  return [
    ...lockEdges(serial, sequence, hydraulics),
    ...risesOf(sequence, ({ noFlowRuns }) => noFlowRuns).map(
      ({ channel, at }): Notice => ({
        ...{ kind: 'no_flow', topic: 'channel', severity: 'danger', cause: `${serial}#no-flow#${channel}`, at, serial },
        facts: { channel },
      }),
    ),
    ...risesOf(sequence, ({ unexpectedRuns }) => unexpectedRuns).map(({ at }) => leakNotice(serial, at)),
    ...statusEdges(serial, before, readings),
  ];
}

function leakNotice(serial: Serial, at: number): Notice {
  return {
    ...{ kind: 'leak', topic: 'valves-shut', severity: 'critical', cause: `${serial}#leak`, at, serial, facts: {} },
  };
}

function lockEdges(serial: Serial, sequence: readonly Hydraulics[], fresh: readonly Hydraulics[]): readonly Notice[] {
  return fresh.flatMap((sample) => {
    const { channel, readAt, lock, globalLock } = sample;
    const earlier = sequence.slice(0, sequence.indexOf(sample));
    const zone = earlier.findLast((one) => one.channel === channel)?.lock;
    const all = earlier.at(-1)?.globalLock;
    return [
      ...(isWorse(zone, lock) ? [lockNotice(serial, channel, lock, readAt)] : []),
      ...(isWorse(all, globalLock) ? [lockNotice(serial, null, globalLock, readAt)] : []),
    ];
  });
}

const LEVELS: Readonly<Record<Lock['level'], number>> = { none: 0, soft: 1, hard: 2 };

function isWorse(before: Lock | undefined, now: Lock): boolean {
  return LEVELS[now.level] > LEVELS[before?.level ?? 'none'];
}

function lockNotice(serial: Serial, channel: number | null, lock: Lock, readAt: number): Notice {
  const retry = retryAt(lock, readAt);
  const level = retry === null ? 'hard' : 'soft';
  return {
    kind: 'lock',
    topic: lock.level === 'soft' && retry === null ? 'other' : `${channel === null ? 'global' : 'channel'}-${level}`,
    severity: channel === null ? 'critical' : 'danger',
    cause: `${serial}#lock#${channel ?? 'all'}`,
    at: lockedSince(lock, readAt),
    serial,
    facts: { ...(channel === null ? {} : { channel }), ...(retry === null ? {} : { retry_at: retry }) },
  };
}

/** Locks are told by the hydraulic status, which says which. */
const STATUS_TOPICS: Readonly<
  Partial<Record<DeviceStatus, Pick<Notice, 'kind' | 'topic' | 'severity'> & { readonly about: string }>>
> = {
  'no-flow': { kind: 'no_flow', topic: 'other', severity: 'danger', about: 'no-flow' },
  'unexpected-flow': { kind: 'leak', topic: 'valves-shut', severity: 'critical', about: 'leak' },
  fault: { kind: 'alarm', topic: 'other', severity: 'danger', about: 'fault' },
  'freeze-lockout': { kind: 'frost', topic: 'lockout', severity: 'warning', about: 'frost' },
};

function statusEdges(serial: Serial, before: readonly Reading[], readings: readonly Reading[]): readonly Notice[] {
  let last = statusesIn(before).at(-1);
  return statusesIn(readings).flatMap(({ at, status }): readonly Notice[] => {
    if (last !== undefined && at <= last.at) return [];
    const isEdge = status !== last?.status;
    last = { at, status };
    const told = isEdge ? STATUS_TOPICS[status] : undefined;
    if (told === undefined) return [];
    const { about, ...topic } = told;
    return [{ ...topic, cause: `${serial}#${about}`, at, serial, facts: {} }];
  });
}
