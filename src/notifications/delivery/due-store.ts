import { ttlSeconds } from '../../platform/clock.ts';
import type { Due } from './due.ts';

export const SCHEMA = 1;
const DAY_MS = 24 * 60 * 60 * 1000;
/** A push that is days late tells nobody anything; the message is in the inbox. */
const DUE_MS = 3 * DAY_MS;

export function dueAttributes({ key, uid, messageId, dueAt, how }: Due): Record<string, unknown> {
  return {
    ...key,
    uid,
    message_id: messageId,
    due_at: dueAt,
    how,
    schema: SCHEMA,
    expires_at: ttlSeconds(dueAt + DUE_MS),
  };
}
