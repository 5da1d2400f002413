import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, flag, number, oneOf, optional, recordOf, text, textThat } from '../../platform/shapes.ts';
import { NOTICE_KINDS } from '../notice.ts';
import { settingsKey } from '../table-keys.ts';
import { LANGUAGES } from '../texts/languages.ts';
import { TIME_OF_DAY } from './local-time.ts';
import { type Preferences, STANDARD_PREFERENCES } from './preferences.ts';

export const SCHEMA = 1;

const timeOfDay = textThat((value) => TIME_OF_DAY.test(value), 'a time of day');
const choice = fields({ web_push: optional(flag), mobile_push: optional(flag), email: optional(flag) });
const readStored = fields({
  language: optional(oneOf(LANGUAGES)),
  time_zone: optional(text),
  kinds: optional(recordOf(choice)),
  quiet_hours: optional(fields({ from: timeOfDay, to: timeOfDay })),
  digest_at: optional(timeOfDay),
  read_until: optional(number),
  /** False while only the read mark was ever written. */
  chosen: optional(flag),
});

export interface StoredSettings {
  readonly preferences: Preferences;
  /** Messages that were stored up to then are read. */
  readonly readUntil: number;
}

/** Preferences and the read mark: one item per account, none for those who never changed anything. */
export function createSettingsStore({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;

  return {
    async read(uid: Uid): Promise<StoredSettings> {
      const { Item: item } = await (await documents()).get({ TableName, Key: settingsKey(uid) });
      return item === undefined ? { preferences: STANDARD_PREFERENCES, readUntil: 0 } : toSettings(readStored(item));
    },

    /** Replaces the preferences and leaves the read mark. */
    async write(uid: Uid, { language, timeZone, kinds, quietHours, digestAt }: Preferences): Promise<void> {
      const values = { language, time_zone: timeZone, kinds, quiet_hours: quietHours, digest_at: digestAt };
      const given = Object.entries(values).filter(([, value]) => value !== null);
      const missing = Object.entries(values).filter(([, value]) => value === null);
      const set = [...given.map(([name]) => `#${name} = :${name}`), '#schema = :schema', '#chosen = :chosen'];
      await (await documents()).update({
        TableName,
        Key: settingsKey(uid),
        UpdateExpression: [
          `SET ${set.join(', ')}`,
          ...(missing.length === 0 ? [] : [`REMOVE ${missing.map(([name]) => `#${name}`).join(', ')}`]),
        ].join(' '),
        ExpressionAttributeNames: {
          '#schema': 'schema',
          '#chosen': 'chosen',
          ...Object.fromEntries(Object.keys(values).map((name) => [`#${name}`, name])),
        },
        ExpressionAttributeValues: {
          ':schema': SCHEMA,
          ':chosen': true,
          ...Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
        },
      });
    },

    /** Everything stored up to `until` is read; the mark only moves on. */
    async markReadUntil(uid: Uid, until: number): Promise<void> {
      await wasConditionMet(async () =>
        (await documents()).update({
          TableName,
          Key: settingsKey(uid),
          UpdateExpression: 'SET read_until = :until, #schema = :schema',
          ConditionExpression: 'attribute_not_exists(read_until) OR read_until < :until',
          ExpressionAttributeNames: { '#schema': 'schema' },
          ExpressionAttributeValues: { ':until': until, ':schema': SCHEMA },
        }),
      );
    },
  };
}

export type SettingsStore = ReturnType<typeof createSettingsStore>;

function toSettings(stored: ReturnType<typeof readStored>): StoredSettings {
  const readUntil = stored.read_until ?? 0;
  if (stored.chosen !== true) return { preferences: STANDARD_PREFERENCES, readUntil };
  return {
    preferences: {
      language: stored.language ?? null,
      timeZone: stored.time_zone ?? null,
      kinds: Object.fromEntries(
        NOTICE_KINDS.flatMap((kind) => {
          const chosen = stored.kinds?.[kind];
          return chosen === undefined ? [] : [[kind, chosen]];
        }),
      ),
      quietHours: stored.quiet_hours ?? null,
      digestAt: stored.digest_at ?? null,
    },
    readUntil,
  };
}
