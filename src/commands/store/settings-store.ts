import * as z from 'zod';
import { type AliveCheck, transactWrite } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { type SafetyLimits, STANDARD_LIMITS } from '../model/safety.ts';
import { settingsKey } from '../table-keys.ts';

const SCHEMA = 1;

const StoredSettings = z.object({
  longest_run_minutes: z.number(),
  longest_run_litres: z.number(),
  minutes_a_day: z.number(),
  litres_a_day: z.number(),
});

/** What each account allows its devices to be told from afar. */
export function createSettingsStore({
  config,
  documents,
  randomness,
}: Pick<Services, 'config' | 'documents' | 'randomness'>) {
  const TableName = config.tables.garden;

  return {
    async read(uid: Uid): Promise<SafetyLimits> {
      const { Item: item } = await (await documents()).get({ TableName, Key: settingsKey(uid), ConsistentRead: true });
      if (item === undefined) return STANDARD_LIMITS;
      const stored = StoredSettings.parse(item);
      return {
        longestRunMinutes: stored.longest_run_minutes,
        longestRunLitres: stored.longest_run_litres,
        minutesADay: stored.minutes_a_day,
        litresADay: stored.litres_a_day,
      };
    },

    /** @returns false when the account is being deleted */
    async write(uid: Uid, limits: SafetyLimits, isAlive: AliveCheck): Promise<boolean> {
      const { committed } = await transactWrite(documents, randomness, [
        {
          Put: {
            TableName,
            Item: {
              ...settingsKey(uid),
              longest_run_minutes: limits.longestRunMinutes,
              longest_run_litres: limits.longestRunLitres,
              minutes_a_day: limits.minutesADay,
              litres_a_day: limits.litresADay,
              schema: SCHEMA,
            },
          },
        },
        isAlive(uid),
      ]);
      return committed;
    },
  };
}

export type SettingsStore = ReturnType<typeof createSettingsStore>;
