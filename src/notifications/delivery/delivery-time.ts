import type { Notice, NoticeKind } from '../notice.ts';
import { isWithin, localMinutes, minutesOf, nextLocalTime } from '../settings/local-time.ts';
import { CHANNELS, channelsOf, type Preferences, STANDARD_ZONE } from '../settings/preferences.ts';

/** When a message leaves, in milliseconds since 1970. `digest`: together with others. */
export type DeliveryTime =
  | { readonly how: 'inbox_only' }
  | { readonly how: 'alone' | 'digest'; readonly dueAt: number };

/** Answers to what somebody just did: they can't wait for a digest. News of an update can, which nobody asked for. */
const PROMPT: ReadonlySet<NoticeKind> = new Set(['command', 'new_peer', 'subscription', 'update']);
const UNASKED_TOPIC = 'available';
/** A phone that comes back may report alarms of weeks ago. They are in the inbox; nobody is woken for them. */
const OLD_NEWS_MS = 7 * 24 * 60 * 60 * 1000;

/** Decides when a message leaves: critical ones at once, others not in quiet hours, and what is not urgent in the digest. */
export function deliveryTime(
  { kind, topic, severity, at }: Pick<Notice, 'kind' | 'topic' | 'severity' | 'at'>,
  preferences: Preferences,
  now: number,
): DeliveryTime {
  const channels = channelsOf(preferences, kind);
  if (!CHANNELS.some((channel) => channels[channel])) return { how: 'inbox_only' };
  if (at < now - OLD_NEWS_MS) return { how: 'inbox_only' };
  if (severity === 'critical') return { how: 'alone', dueAt: now };
  const zone = preferences.timeZone ?? STANDARD_ZONE;
  const { digestAt } = preferences;
  const isPrompt = PROMPT.has(kind) && topic !== UNASKED_TOPIC;
  if (digestAt !== null && severity !== 'danger' && !isPrompt) {
    return { how: 'digest', dueAt: afterQuietHours(nextLocalTime(now, zone, minutesOf(digestAt)), zone, preferences) };
  }
  return { how: 'alone', dueAt: afterQuietHours(now, zone, preferences) };
}

/**
 * Until when a message is to wait that is due now: `now` unless quiet hours have begun, or were chosen, since its time was
 * decided. Critical ones never wait.
 */
export function heldBackUntil(
  { severity }: Pick<Notice, 'severity'>,
  { timeZone, quietHours }: Pick<Preferences, 'timeZone' | 'quietHours'>,
  now: number,
): number {
  return severity === 'critical' ? now : afterQuietHours(now, timeZone ?? STANDARD_ZONE, { quietHours });
}

function afterQuietHours(ms: number, zone: string, { quietHours }: Pick<Preferences, 'quietHours'>): number {
  if (quietHours === null) return ms;
  const [from, to] = [minutesOf(quietHours.from), minutesOf(quietHours.to)];
  return isWithin(localMinutes(ms, zone), from, to) ? nextLocalTime(ms, zone, to) : ms;
}
