import type { Notice } from '../../notifications/index.ts';
import type { Reading } from '../evidence.ts';
import type { Ingested } from '../ingest/ingest.ts';
import { alarmsIn } from '../insights/alarms.ts';
import { alarmNotice } from './alarm-notices.ts';
import { edgeNotices } from './edge-notices.ts';

/** What an owner is told of an upload at once: alarms that were relayed, and what turned bad since the last look. */
export function newsIn({ device: { serial }, before, readings }: Ingested): readonly Notice[] {
  const known = before?.latest ?? [];
  const fresh = readings.filter((reading) => !known.some((one) => isSameAlarm(one, reading))).sort(byTime);
  const alarms = alarmsIn(fresh).flatMap((seen) => alarmNotice(serial, seen) ?? []);
  const edges = edgeNotices(serial, [...known].sort(byTime), fresh);
  // Locks before alarms: of two reports of one cause at one time the first is told, and it says more.
  return withoutTwice([...edges, ...alarms]);
}

/** The slot keeps an alarm until somebody clears it: reading it again is no news, even if the clock was lost. */
function isSameAlarm(one: Reading, other: Reading): boolean {
  return one.kind === 'alarm' && other.kind === 'alarm' && Buffer.compare(one.bytes, other.bytes) === 0;
}

function byTime(one: Reading, other: Reading): number {
  return one.readAt - other.readAt;
}

const NEAR_MS = 60 * 60_000;

/** What the same notice says that the owner gets of the device's own alarm. */
const SAID_BY_ALARM: Readonly<Record<string, readonly string[]>> = {
  leak: ['mainline-leak'],
  frost: ['freeze', 'freeze-stale'],
};

/** Leaves out edges that an alarm of the same upload tells of, and the alarm for no flow where a zone is known. */
function withoutTwice(notices: readonly Notice[]): readonly Notice[] {
  const isNear = (one: Notice, other: Notice) => Math.abs(one.at - other.at) <= NEAR_MS;
  return notices.filter((notice) => {
    const zoneKnown = (one: Notice) => one.kind === 'no_flow' && one.topic === 'channel' && isNear(one, notice);
    if (notice.kind === 'no_flow' && notice.topic === 'channel') return true;
    if (notice.kind === 'no_flow' && notices.some(zoneKnown)) return false;
    const alarms = SAID_BY_ALARM[notice.kind];
    return alarms === undefined || !notices.some((one) => alarms.includes(one.topic) && isNear(one, notice));
  });
}
