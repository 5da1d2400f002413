import type { Uid } from '../../platform/ids.ts';
import { NOTICE_KINDS, type NoticeKind } from '../notice.ts';
import type { LanguageCode } from '../texts/languages.ts';

/** The ways in which a message can reach its owner, besides the inbox. */
export const CHANNELS = ['web_push', 'mobile_push', 'email'] as const;
export type Channel = (typeof CHANNELS)[number];

export type ChannelChoice = Readonly<Record<Channel, boolean>>;

/** What an owner chose. Null: nothing yet, so that the profile or the standard counts. */
export interface Preferences {
  readonly language: LanguageCode | null;
  /** An IANA name. */
  readonly timeZone: string | null;
  readonly kinds: Readonly<Partial<Record<NoticeKind, Partial<ChannelChoice>>>>;
  /** Local times like `22:00`. Nothing but critical messages is sent within. */
  readonly quietHours: { readonly from: string; readonly to: string } | null;
  /** A local time at which what is not urgent is sent together. Null: everything is sent at once. */
  readonly digestAt: string | null;
}

export const STANDARD_PREFERENCES: Preferences = {
  language: null,
  timeZone: null,
  kinds: {},
  quietHours: null,
  digestAt: '18:00',
};

export const STANDARD_ZONE = 'UTC';

/** The time zone that the owner's days are in, if anybody told; supplied by the domain that counts by days. */
export type ReadZone = (uid: Uid) => Promise<string | undefined>;

/** The preferences with a time zone: the chosen one, else that of the owner's days. */
export async function inZone(preferences: Preferences, uid: Uid, zoneOf: ReadZone): Promise<Preferences> {
  return preferences.timeZone === null ? { ...preferences, timeZone: (await zoneOf(uid)) ?? null } : preferences;
}

/** By mail only what matters even to those who have no app at hand. */
const MAILED: ReadonlySet<NoticeKind> = new Set([
  'alarm',
  'lock',
  'leak',
  'no_flow',
  'unheard',
  'subscription',
  'new_peer',
]);

/** The channels of a kind: what the owner chose, else the standard. */
export function channelsOf({ kinds }: Pick<Preferences, 'kinds'>, kind: NoticeKind): ChannelChoice {
  const chosen = kinds[kind] ?? {};
  return {
    web_push: chosen.web_push ?? true,
    mobile_push: chosen.mobile_push ?? true,
    email: chosen.email ?? MAILED.has(kind),
  };
}

export function allChannels(preferences: Pick<Preferences, 'kinds'>): ReadonlyMap<NoticeKind, ChannelChoice> {
  return new Map(NOTICE_KINDS.map((kind) => [kind, channelsOf(preferences, kind)]));
}
