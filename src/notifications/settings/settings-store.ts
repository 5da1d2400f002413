import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import type { Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import { fields, flag, number, oneOf, optional, recordOf, text, textThat, withDefault } from '../../platform/shapes.ts';
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
  /** How often the preferences have changed. */
  revision: withDefault(number, 0),
});

export interface StoredSettings {
  readonly preferences: Preferences;
  /** Messages that were stored up to then are read. */
  readonly readUntil: number;
}

/** Preferences and the read mark: one item per account, none for those who never changed anything. */
export function createSettingsStore({
  config,
  documents,
  randomness,
}: Pick<Services, 'config' | 'documents' | 'randomness'>) {
  const TableName = config.tables.garden;
  const whileOvertaken = createWhileOvertaken(randomness);

  /** False if they were changed since this revision was read. */
  const write = async (
    uid: Uid,
    { language, timeZone, kinds, quietHours, digestAt }: Preferences,
    from: number,
  ): Promise<boolean> => {
    const values = { language, time_zone: timeZone, kinds, quiet_hours: quietHours, digest_at: digestAt };
    const change = updateExpression({
      set: {
        ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)),
        ...{ schema: SCHEMA, chosen: true, revision: from + 1 },
      },
      remove: Object.entries(values).flatMap(([name, value]) => (value === null ? [name] : [])),
    });
    return wasConditionMet(async () =>
      (await documents()).update({
        TableName,
        Key: settingsKey(uid),
        UpdateExpression: change.UpdateExpression,
        ConditionExpression: from === 0 ? 'attribute_not_exists(#revision)' : '#revision = :read_revision',
        ExpressionAttributeNames: change.names,
        ExpressionAttributeValues: { ...change.values, ...(from === 0 ? {} : { ':read_revision': from }) },
      }),
    );
  };

  return {
    async read(uid: Uid): Promise<StoredSettings> {
      // Strongly, as whoever has just turned something off, or read all, must not be told otherwise.
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: settingsKey(uid),
        ConsistentRead: true,
      });
      return item === undefined ? { preferences: STANDARD_PREFERENCES, readUntil: 0 } : toSettings(readStored(item));
    },

    /** Changes the preferences from a fresh read, and leaves the read mark: of changes at one time none is lost. */
    change: (uid: Uid, change: (known: Preferences) => Preferences): Promise<Preferences> =>
      whileOvertaken('the settings', async () => {
        const { Item: item } = await (await documents()).get({
          TableName,
          Key: settingsKey(uid),
          ConsistentRead: true,
        });
        const stored = item === undefined ? undefined : readStored(item);
        const changed = change(stored === undefined ? STANDARD_PREFERENCES : toSettings(stored).preferences);
        return (await write(uid, changed, stored?.revision ?? 0)) ? changed : OVERTAKEN;
      }),

    /** For an account that is being deleted. */
    async remove(uid: Uid): Promise<void> {
      await (await documents()).delete({ TableName, Key: settingsKey(uid) });
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
