import { failedCondition } from '../../platform/aws/dynamo.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number, optional, text } from '../../platform/shapes.ts';

const SCHEMA = 1;
const KEY = { partition: 'update-news', record: 'progress' };

/** How far the daily pass over devices is. */
export interface NewsProgress {
  /** When the pass began, such as `2026-06-01`. */
  readonly day: string;
  /** The devices of this version are next, after the cursor; undefined: the pass is over. */
  readonly version: string | undefined;
  readonly after: string | undefined;
  readonly revision: number;
}

const readStored = fields({ day: text, version: optional(text), after: optional(text), revision: number });

/** One item: a pass goes on where the last run stopped, and begins once a day. */
export function createNewsProgress({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.garden;
  return {
    async read(): Promise<NewsProgress | undefined> {
      const { Item: item } = await (await documents()).get({ TableName, Key: KEY, ConsistentRead: true });
      return item === undefined ? undefined : { version: undefined, after: undefined, ...readStored(item) };
    },

    /** Replaces what was read with this revision, 0 for nothing; false if another run has moved on meanwhile. */
    async moveOn({ day, version, after }: Omit<NewsProgress, 'revision'>, from: number): Promise<boolean> {
      try {
        await (await documents()).put({
          TableName,
          Item: {
            ...{ ...KEY, day, revision: from + 1, schema: SCHEMA },
            ...(version === undefined ? {} : { version }),
            ...(after === undefined ? {} : { after }),
          },
          ...(from === 0
            ? { ConditionExpression: 'attribute_not_exists(revision)' }
            : { ConditionExpression: 'revision = :revision', ExpressionAttributeValues: { ':revision': from } }),
        });
        return true;
      } catch (error) {
        if (failedCondition(error) === undefined) throw error;
        return false;
      }
    },
  };
}
