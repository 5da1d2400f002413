import type { Serial } from '../../platform/ids.ts';
import type { Notice } from '../notice.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** The time over which messages are counted. */
export const FLOOD_MS = DAY_MS;

/** Most messages in that time. A device that has a bad day has a dozen. */
const MOST_OF_DEVICE = 40;
/** What is urgent has as many to itself, whatever else a device reports. */
const MOST_WITH_URGENT = 80;
/** Of all devices together: each one more would cost its owner's patience, and this service's name with mail providers. */
export const MOST_OF_ACCOUNT = 400;

/** What an account was told lately: a device, or null, for each message. */
export type Told = readonly (Serial | null)[];

/**
 * Whether a new message would be one too many: a device that is broken, or in bad hands, can report ever new causes. What is
 * left out is not remembered either, so that a cause that lasts is told the next day.
 */
export function isFlood({ serial, severity }: Pick<Notice, 'serial' | 'severity'>, told: Told): boolean {
  if (told.length >= MOST_OF_ACCOUNT) return true;
  const isUrgent = severity === 'critical' || severity === 'danger';
  return told.filter((one) => one === serial).length >= (isUrgent ? MOST_WITH_URGENT : MOST_OF_DEVICE);
}
