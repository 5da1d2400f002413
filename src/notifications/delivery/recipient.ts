import type { Serial, Uid } from '../../platform/ids.ts';
import type { Endpoint } from '../endpoints/endpoint.ts';
import type { EndpointStore } from '../endpoints/endpoint-store.ts';
import { inZone, type Preferences, type ReadZone, STANDARD_ZONE } from '../settings/preferences.ts';
import type { SettingsStore } from '../settings/settings-store.ts';
import { languageOf, STANDARD_LANGUAGE } from '../texts/languages.ts';
import type { Reader } from '../texts/wording.ts';

/** What an account's profile says about messages; supplied by the account domain. */
export interface ProfileWishes {
  /** As the app stored it, such as `ro` or `ro-RO`. */
  readonly language: string | undefined;
  /** Whether the owner wants no messages outside the app. */
  readonly isMuted: boolean;
}

export type ReadProfileWishes = (uid: Uid) => Promise<ProfileWishes>;

/** What an owner calls these devices; supplied by the domain that knows devices. */
export type ReadDeviceNames = (uid: Uid, serials: ReadonlySet<Serial>) => Promise<ReadonlyMap<Serial, string>>;

/** Who gets an account's messages, and how. */
export interface Recipient {
  readonly preferences: Preferences;
  readonly readUntil: number;
  readonly isMuted: boolean;
  readonly reader: Reader;
  readonly endpoints: readonly Endpoint[];
}

export interface RecipientParts {
  readonly settings: Pick<SettingsStore, 'read'>;
  readonly endpoints: Pick<EndpointStore, 'list'>;
  readonly profileOf: ReadProfileWishes;
  readonly zoneOf: ReadZone;
}

export function readerOf({ language, timeZone }: Preferences, profile: ProfileWishes): Reader {
  return {
    language: language ?? languageOf(profile.language ?? '') ?? STANDARD_LANGUAGE,
    timeZone: timeZone ?? STANDARD_ZONE,
  };
}

export async function readRecipient(parts: RecipientParts, uid: Uid): Promise<Recipient> {
  const [{ preferences: chosen, readUntil }, profile, endpoints] = await Promise.all([
    parts.settings.read(uid),
    parts.profileOf(uid),
    parts.endpoints.list(uid),
  ]);
  const preferences = await inZone(chosen, uid, parts.zoneOf);
  const { isMuted } = profile;
  return { preferences, readUntil, isMuted, reader: readerOf(preferences, profile), endpoints };
}
