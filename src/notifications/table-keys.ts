import { createHash } from 'node:crypto';
import type { Uid } from '../platform/ids.ts';

export interface NotificationKey {
  readonly partition: string;
  readonly record: string;
}

/** What is kept for an account's notifications. A uid is escaped, as “#” separates the parts. */
export const accountPartition = (uid: Uid): string => `${encodeURIComponent(uid)}#notifications`;

const MILLISECOND_DIGITS = 13;

/** A message in the inbox; newer ones sort after older ones. */
export const noticeKey = (uid: Uid, noticeId: string): NotificationKey => ({
  partition: accountPartition(uid),
  record: `${NOTICE_PREFIX}${noticeId}`,
});
export const NOTICE_PREFIX = 'notice#';

/** Begins with the time, so that ids sort by it. */
export const noticeId = (storedAt: number, unique: string): string => `${timeId(storedAt)}-${unique}`;

/** Where the messages of a time begin, among ids. */
export const timeId = (ms: number): string => String(Math.max(0, Math.trunc(ms))).padStart(MILLISECOND_DIGITS, '0');

/** A cause that was told of. Causes may be longer than a key reads well, and are compared only. */
export const causeKey = (uid: Uid, kind: string, cause: string): NotificationKey => ({
  partition: accountPartition(uid),
  record: `cause#${kind}#${createHash('sha256').update(cause).digest('base64url')}`,
});

/** Preferences and what is read, one item. */
export const settingsKey = (uid: Uid): NotificationKey => ({ partition: accountPartition(uid), record: 'settings' });

/** A browser or app that takes pushes. */
export const endpointKey = (uid: Uid, endpointId: string): NotificationKey => ({
  partition: accountPartition(uid),
  record: `${ENDPOINT_PREFIX}${endpointId}`,
});
export const ENDPOINT_PREFIX = 'endpoint#';

const HOUR_MS = 60 * 60 * 1000;

/** Deliveries of all accounts that fall due within one hour; the account stands in the sort key. */
export const dueKey = (dueAt: number, uid: Uid, noticeId: string): NotificationKey => ({
  partition: duePartition(dueAt),
  record: `${duePrefix(uid)}${noticeId}`,
});
export const duePrefix = (uid: Uid): string => `${encodeURIComponent(uid)}#`;
export const duePartition = (ms: number): string =>
  `due#${new Date(Math.floor(ms / HOUR_MS) * HOUR_MS).toISOString().slice(0, 13)}`;

/** Which account a browser or app sends its messages to: it is one at a time, whoever signs in there. */
export const endpointOwnerKey = (endpointId: string): NotificationKey => ({
  partition: `endpoint#${endpointId}`,
  record: 'owner',
});
