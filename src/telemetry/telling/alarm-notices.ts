import { type DeviceAlarm, severityOf } from '@autowatering/device-data';
import type { Notice } from '../../notifications/index.ts';
import type { Serial } from '../../platform/ids.ts';
import type { SeenAlarm } from '../insights/alarms.ts';

type Topic = Pick<Notice, 'kind' | 'topic' | 'facts'> & { readonly about: string };

/** What an owner is told of an alarm; undefined if it only says that something is over. */
export function alarmNotice(serial: Serial, { at, alarm }: SeenAlarm): Notice | undefined {
  const told = topicOf(alarm);
  if (told === undefined) return undefined;
  const { about, ...topic } = told;
  return { ...topic, severity: severityOf(alarm), cause: `${serial}#${about}`, at, serial };
}

function topicOf(alarm: DeviceAlarm): Topic | undefined {
  switch (alarm.kind) {
    case 'none':
    case 'recovered':
      return undefined;
    case 'freeze':
      return { kind: 'alarm', topic: 'freeze', about: 'freeze', facts: { temperature: alarm.celsius } };
    case 'freeze-unknown':
      return { kind: 'alarm', topic: 'freeze-stale', about: 'freeze-stale', facts: {} };
    case 'high-flow':
    case 'low-flow': {
      const { kind: topic, channel } = alarm;
      return { kind: 'alarm', topic, about: `${topic}#${channel}`, facts: { channel } };
    }
    // The same cause as the lock that the next hydraulic status shows: it is told once.
    case 'channel-lock':
      return { kind: 'lock', topic: 'channel-hard', about: `lock#${alarm.channel}`, facts: { channel: alarm.channel } };
    case 'global-lock':
      return { kind: 'lock', topic: 'other', about: 'lock#all', facts: {} };
    // The same causes as the status and the counters that a later look shows.
    case 'unexpected-flow':
      return { kind: 'leak', topic: 'valves-shut', about: 'leak', facts: {} };
    case 'no-flow':
      return { kind: 'no_flow', topic: 'other', about: 'no-flow', facts: {} };
    case 'mainline-leak':
      return { kind: 'alarm', topic: alarm.kind, about: alarm.kind, facts: {} };
    case 'unknown':
      return { kind: 'alarm', topic: 'other', about: `code-${alarm.code}`, facts: {} };
  }
}
