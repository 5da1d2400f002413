import * as z from 'zod';
import { accountDeleted } from '../../http/checks/authenticate.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { pageCursor, pageLimit } from '../../http/fields.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import type { Uid } from '../../platform/ids.ts';
import { type ReadProfileWishes, readerOf } from '../delivery/recipient.ts';
import { NOTICE_KINDS } from '../notice.ts';
import { inZone, type ReadZone } from '../settings/preferences.ts';
import type { SettingsStore } from '../settings/settings-store.ts';
import { type Reader, wordingOf } from '../texts/wording.ts';
import { type InboxStore, MOST_UNREAD } from './inbox-store.ts';
import type { Message } from './message.ts';

const STANDARD_PAGE = 30;
const MOST_MARKED = 100;
const CHANGE_LIMIT = { requests: 300, windowSeconds: 600 } as const;

const messageId = z.string().regex(/^\d{13}-[0-9a-f-]{36}$/, 'the id of a notification');

const Shown = z.object({
  notification_id: z.string(),
  kind: z.enum(NOTICE_KINDS),
  topic: z.string(),
  severity: z.enum(['info', 'warning', 'danger', 'critical']),
  serial: z.string().nullable(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
  title: z.string(),
  body: z.string(),
  at: z.number(),
  created_at: z.number(),
  read: z.boolean(),
});

export interface InboxRouteParts {
  readonly inbox: InboxStore;
  readonly settings: Pick<SettingsStore, 'read' | 'markReadUntil' | 'remove'>;
  readonly isAccountDeleted: (uid: Uid) => Promise<boolean>;
  readonly profileOf: ReadProfileWishes;
  readonly zoneOf: ReadZone;
}

/** What an account was told of. */
export function inboxRoutes({
  inbox,
  settings,
  profileOf,
  zoneOf,
  isAccountDeleted,
}: InboxRouteParts): readonly Route[] {
  const list = defineRoute({
    method: 'GET',
    path: '/notifications',
    auth: 'cognito',
    openToPeers: true,
    domain: 'notifications',
    summary: 'Lists what the account was told of',
    description:
      'Newest first, for 90 days; one message per cause, however often it was reported. `title` and `body` are in the ' +
      'owner’s language; `kind`, `topic` and `facts` are for apps that say it themselves. `at` is when it happened, ' +
      `\`created_at\` when this service heard of it, in milliseconds since 1970. At most \`limit\` (1–100, default ` +
      `${STANDARD_PAGE}) per page; \`next_cursor\` leads to the rest. \`unread\` counts up to ${MOST_UNREAD}.`,
    query: z.object({ limit: pageLimit, cursor: pageCursor }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        notifications: z.array(Shown),
        unread: z.number(),
        next_cursor: z.string().optional(),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller: { uid }, query }) => {
    const before = query.cursor === undefined ? undefined : cursorOf(query.cursor);
    const [{ messages, next }, { preferences, readUntil }, profile] = await Promise.all([
      inbox.list(uid, query.limit ?? STANDARD_PAGE, before),
      settings.read(uid),
      profileOf(uid),
    ]);
    const reader = readerOf(await inZone(preferences, uid, zoneOf), profile);
    return {
      status: 200,
      body: {
        ok: true,
        notifications: messages.map((message) => shown(message, readUntil, reader)),
        unread: await inbox.countUnread(uid, readUntil),
        ...(next === undefined ? {} : { next_cursor: encodeCursor(next) }),
      },
    };
  });

  const markRead = defineRoute({
    method: 'POST',
    path: '/notifications/read',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'notifications',
    summary: 'Marks messages as read',
    description:
      'By `notification_ids`, or all that were created up to `until` (milliseconds since 1970). What was held back for ' +
      'quiet hours or the digest is not sent any more once it is read; critical messages are sent in any case.',
    rateLimit: CHANGE_LIMIT,
    body: z.union([
      z.strictObject({ notification_ids: z.array(messageId).min(1).max(MOST_MARKED) }),
      z.strictObject({ until: z.int().min(0) }),
    ]),
    responses: { 200: z.object({ ok: z.literal(true), unread: z.number() }) },
    errors: [],
  }).handledBy(async ({ caller: { uid }, body }, { now }) => {
    if ('until' in body) {
      await settings.markReadUntil(uid, Math.min(body.until, now));
      // A deletion that began meanwhile may have passed by the mark already.
      if (await isAccountDeleted(uid)) {
        await settings.remove(uid);
        throw accountDeleted();
      }
    } else await inbox.markRead(uid, body.notification_ids, now);
    const { readUntil } = await settings.read(uid);
    return { status: 200, body: { ok: true, unread: await inbox.countUnread(uid, readUntil) } };
  });

  return [list, markRead];
}

function cursorOf(text: string): string {
  const id = decodeCursor(text);
  if (id === undefined || !messageId.safeParse(id).success) {
    throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }], 'person');
  }
  return id;
}

function shown(message: Message, readUntil: number, reader: Reader): z.input<typeof Shown> {
  const { kind, topic, severity, serial, facts, at, storedAt } = message;
  const { title, body } = wordingOf(message, reader);
  return {
    notification_id: message.messageId,
    ...{ kind, topic, severity, serial, facts: { ...facts }, title, body, at },
    created_at: storedAt,
    read: message.readAt !== null || storedAt <= readUntil,
  };
}
