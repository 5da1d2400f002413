import * as z from 'zod';
import { accountDeleted } from '../../http/checks/authenticate.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { listed } from '../../platform/aws/secrets.ts';
import type { Uid } from '../../platform/ids.ts';
import { MOBILE_PLATFORMS } from '../../platform/messaging/mobile-push.ts';
import { readVapidKey } from '../../platform/messaging/web-push/vapid.ts';
import type { Services } from '../../platform/services.ts';
import { spelledTimeZone } from '../../platform/time-zone.ts';
import type { DueStore } from '../delivery/due-store.ts';
import type { Nudge } from '../intake/notify.ts';
import { NOTICE_KINDS } from '../notice.ts';
import { dueKey, noticeId } from '../table-keys.ts';
import { LANGUAGES } from '../texts/languages.ts';
import { isTimeZone, TIME_OF_DAY } from './local-time.ts';
import { allChannels, type Preferences } from './preferences.ts';
import type { SettingsStore } from './settings-store.ts';

const CHANGE_LIMIT = { requests: 60, windowSeconds: 600 } as const;
/** A test is sent by every channel, and some of them cost. */
const TEST_LIMIT = { requests: 5, windowSeconds: 3600 } as const;
const LONGEST_ZONE = 64;

const timeOfDay = z.string().regex(TIME_OF_DAY, 'a time like 07:30');
const Choice = z.strictObject({ web_push: z.boolean(), mobile_push: z.boolean(), email: z.boolean() });
const kindNames = z.enum(NOTICE_KINDS);
const QuietHours = z.strictObject({ from: timeOfDay, to: timeOfDay });

const Settings = z.object({
  ok: z.literal(true),
  language: z.enum(LANGUAGES).nullable(),
  time_zone: z.string().nullable(),
  quiet_hours: QuietHours.nullable(),
  digest_at: z.string().nullable(),
  kinds: z.record(kindNames, Choice),
  channels: z.object({
    web_push: z.object({ configured: z.boolean(), public_key: z.string().nullable() }),
    mobile_push: z.object({ configured: z.boolean(), platforms: z.array(z.enum(MOBILE_PLATFORMS)) }),
    email: z.object({ configured: z.boolean() }),
  }),
  languages: z.array(z.enum(LANGUAGES)),
});

const SettingsChange = z.strictObject({
  language: z.enum(LANGUAGES).nullable().optional(),
  time_zone: z
    .string()
    .max(LONGEST_ZONE)
    .refine(isTimeZone, { error: 'an IANA time zone like Europe/Bucharest', abort: true })
    .overwrite(spelledTimeZone)
    .nullable()
    .optional(),
  quiet_hours: QuietHours.refine(({ from, to }) => from !== to, 'two different times')
    .nullable()
    .optional(),
  digest_at: timeOfDay.nullable().optional(),
  kinds: z.partialRecord(kindNames, Choice.partial()).optional(),
});

export interface SettingsRouteParts {
  readonly settings: SettingsStore;
  readonly due: Pick<DueStore, 'put' | 'remove'>;
  readonly isAccountDeleted: (uid: Uid) => Promise<boolean>;
  readonly nudge: Nudge;
}

/** What an owner wants to be told of, how and when. */
export function settingsRoutes(
  services: Pick<Services, 'clock' | 'log' | 'messengers' | 'randomness' | 'secrets'>,
  { settings, due: dues, nudge, isAccountDeleted }: SettingsRouteParts,
): readonly Route[] {
  const { clock, log, messengers, randomness, secrets } = services;

  const shown = async (preferences: Preferences): Promise<z.input<typeof Settings>> => {
    const { webPush, mail, mobilePush } = await messengers();
    const key = webPush === undefined ? undefined : (await secrets.values()).VAPID_KEY;
    const [newest] = listed(key);
    const choices = allChannels(preferences);
    const chosen = (kind: (typeof NOTICE_KINDS)[number]) => ({
      web_push: false,
      mobile_push: false,
      email: false,
      ...choices.get(kind),
    });
    return {
      ok: true,
      language: preferences.language,
      time_zone: preferences.timeZone,
      quiet_hours: preferences.quietHours,
      digest_at: preferences.digestAt,
      kinds: {
        alarm: chosen('alarm'),
        lock: chosen('lock'),
        leak: chosen('leak'),
        no_flow: chosen('no_flow'),
        frost: chosen('frost'),
        unheard: chosen('unheard'),
        history_at_risk: chosen('history_at_risk'),
        insight: chosen('insight'),
        update: chosen('update'),
        subscription: chosen('subscription'),
        new_peer: chosen('new_peer'),
        command: chosen('command'),
      },
      channels: {
        web_push: {
          configured: newest !== undefined,
          public_key: newest === undefined ? null : readVapidKey(newest).publicKey,
        },
        mobile_push: { configured: mobilePush !== undefined, platforms: [...(mobilePush?.platforms ?? [])] },
        email: { configured: mail !== undefined },
      },
      languages: [...LANGUAGES],
    };
  };

  const read = defineRoute({
    method: 'GET',
    path: '/notifications/settings',
    auth: 'cognito',
    openToPeers: true,
    domain: 'notifications',
    summary: 'How the owner is told of what happens',
    description:
      'By kind of message and channel, with the owner’s choices filled up by the standard. `language` and `time_zone` ' +
      'are null until chosen: then the profile’s language counts, or English, and the zone of `/telemetry/settings`, or UTC. A channel with `configured: ' +
      'false` is off in this environment. `public_key` is what a browser subscribes with (`applicationServerKey`).',
    responses: { 200: Settings },
    errors: [],
  }).handledBy(async ({ caller }) => ({
    status: 200,
    body: await shown((await settings.read(caller.uid)).preferences),
  }));

  const change = defineRoute({
    method: 'POST',
    path: '/notifications/settings',
    auth: 'cognito',
    idempotent: true,
    domain: 'notifications',
    summary: 'Changes how the owner is told',
    description:
      'Only what is sent changes; null goes back to the standard, or turns quiet hours or the digest off. Times are ' +
      'local, by `time_zone`. In quiet hours only critical messages are sent; the others follow when they end. With ' +
      '`digest_at`, messages of little urgency (severity `info` and `warning`) are sent together once a day.',
    rateLimit: CHANGE_LIMIT,
    body: SettingsChange,
    responses: { 200: Settings },
    errors: [],
  }).handledBy(async ({ caller: { uid }, body }) => {
    const changed = await settings.change(uid, (known) => changedPreferences(known, body));
    // A deletion that began meanwhile may have passed by the settings already.
    if (await isAccountDeleted(uid)) {
      await settings.remove(uid);
      throw accountDeleted();
    }
    return { status: 200, body: await shown(changed) };
  });

  const test = defineRoute({
    method: 'POST',
    path: '/notifications/test',
    auth: 'cognito',
    domain: 'notifications',
    summary: 'Sends a test message by every channel',
    description: 'To the account’s own browsers, apps and mailbox, within moments; quiet hours do not hold it back.',
    rateLimit: TEST_LIMIT,
    body: z.strictObject({}),
    responses: { 200: z.object({ ok: z.literal(true) }) },
    errors: ['channel_off'],
  }).handledBy(async ({ caller: { uid } }) => {
    const { webPush, mail, mobilePush } = await messengers();
    if (webPush === undefined && mail === undefined && mobilePush === undefined) throw channelOff();
    const now = clock.now();
    const due = testDue(uid, now, randomness.id());
    await dues.put(due);
    if (await isAccountDeleted(uid)) {
      await dues.remove(due);
      throw accountDeleted();
    }
    await nudge([due]).catch((error: unknown) => log.warn('A test message waits for the next run', {}, error));
    return { status: 200, body: { ok: true } };
  });

  return [read, change, test];
}

export function channelOff(): ApiError {
  return new ApiError('channel_off', 'This way of getting messages is not available yet.');
}

function testDue(uid: Uid, now: number, unique: string) {
  const messageId = noticeId(now, unique);
  return { key: dueKey(now, uid, messageId), uid, messageId, dueAt: now, how: 'test' } as const;
}

function changedPreferences(preferences: Preferences, change: z.output<typeof SettingsChange>): Preferences {
  const chosen = NOTICE_KINDS.flatMap((kind) => {
    const merged = { ...preferences.kinds[kind], ...change.kinds?.[kind] };
    return Object.keys(merged).length === 0 ? [] : [[kind, merged] as const];
  });
  return {
    language: change.language === undefined ? preferences.language : change.language,
    timeZone: change.time_zone === undefined ? preferences.timeZone : change.time_zone,
    quietHours: change.quiet_hours === undefined ? preferences.quietHours : change.quiet_hours,
    digestAt: change.digest_at === undefined ? preferences.digestAt : change.digest_at,
    kinds: Object.fromEntries(chosen),
  };
}
