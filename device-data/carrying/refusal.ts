import { deviceStatus } from '../meaning/device-status.ts';
import { RainIntegration } from '../structures/hydraulics.ts';
import type { Intent } from './intent.ts';
import { LOCKS, lastOf, NO_CHANNEL, QUEUE, type Seen, TASK } from './readings.ts';

/** Why a device refused a write. */
export const REFUSALS = [
  ...(['freeze', 'rain_skip', 'queue_full', 'nothing_to_do', 'busy', 'not_permitted'] as const),
  ...(['value_not_allowed', 'wrong_code', 'not_saved', 'no_clock', 'device_error'] as const),
] as const;
export type Refusal = (typeof REFUSALS)[number];

const ATT_NOT_PERMITTED = 0x03;
const ATT_AUTHENTICATION = 0x05;
const ATT_OFFSET = 0x07;
const ATT_LENGTH = 0x0d;
const ATT_OTHER = 0x0e;
const ATT_NOT_SAVED = 0x11;
const ATT_NOT_ALLOWED = 0x13;
const QUEUE_LENGTH = 10;

/**
 * What a write's ATT error means. One error stands for several reasons; readings of `def3`, `de18`, `def7` and `deff`
 * tell them apart.
 */
export function refusalOf(intent: Intent, attError: number, seen: readonly Seen[]): Refusal {
  switch (attError) {
    case ATT_NOT_PERMITTED:
      return notPermitted(intent, seen);
    case ATT_NOT_ALLOWED:
    case ATT_LENGTH:
    case ATT_OFFSET:
      return 'value_not_allowed';
    case ATT_AUTHENTICATION:
      return 'wrong_code';
    case ATT_NOT_SAVED:
      return 'not_saved';
    case ATT_OTHER:
      return intent.kind === 'set_clock' ? 'no_clock' : 'device_error';
    default:
      return 'device_error';
  }
}

function notPermitted(intent: Intent, seen: readonly Seen[]): Refusal {
  const task = lastOf(seen, TASK);
  if (['stop', 'pause', 'resume', 'skip_next'].includes(intent.kind)) {
    return task === undefined || task.channel_id === NO_CHANNEL ? 'nothing_to_do' : 'not_permitted';
  }
  const status = seen.findLast(({ characteristic }) => characteristic === 'def3')?.bytes[0];
  if (status !== undefined && deviceStatus(status) === 'freeze-lockout') return 'freeze';
  const rain = seen.findLast(({ characteristic }) => characteristic === 'de18')?.bytes;
  const isSkipped = (channel: number) => rain !== undefined && RainIntegration.read(rain)?.skip[channel] === 1;
  if (intent.kind === 'water' && isSkipped(intent.channel)) return 'rain_skip';
  if ((lastOf(seen, QUEUE)?.pending ?? 0) >= QUEUE_LENGTH) return 'queue_full';
  return 'not_permitted';
}

/** Why an accepted start came to nothing, from `de22` of its channel: a lock, or unknown. */
export function dropReasonOf(intent: Intent, seen: readonly Seen[]): 'channel_locked' | 'device_locked' | 'unknown' {
  const status = lastOf(seen, LOCKS);
  if (status === undefined) return 'unknown';
  if (status.global_level > 0) return 'device_locked';
  const isOwn = intent.kind === 'water' && status.channel_id === intent.channel;
  return isOwn && status.lock_level > 0 ? 'channel_locked' : 'unknown';
}
