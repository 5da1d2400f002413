import { marshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { Migration } from '../migration.ts';

const Written = z.object({
  uid: z.string(),
  record: z.enum(['profile', 'state']),
  updated_at: z.string().regex(/^\d{4}-\d{2}-\d{2}T/),
});
const Activity = z.object({ uid: z.string(), record: z.literal('activity'), backfilled_on: z.string() });

/**
 * The backend notes the last day of use since some day; those who were not here since then have none. When they last
 * wrote something is the best that is known of them.
 */
export const lastActivity: Migration = {
  id: 1,
  name: 'last-activity',
  summary: 'gives users without a last day of use the day on which they last wrote something',
  table: 'users',

  up(item, TableName) {
    const written = Written.safeParse(item);
    if (!written.success) return undefined;
    const { uid, record, updated_at: updatedAt } = written.data;
    const day = updatedAt.slice(0, 10);
    return [
      {
        Update: {
          TableName,
          Key: marshall({ uid, record: 'activity' }),
          UpdateExpression: 'SET last_active_on = :day, backfilled_on = :day, #schema = :one',
          ConditionExpression: 'attribute_not_exists(last_active_on) OR last_active_on < :day',
          ExpressionAttributeNames: { '#schema': 'schema' },
          ExpressionAttributeValues: marshall({ ':day': day, ':one': 1 }),
        },
      },
      // Where the account is being deleted at this moment, nothing new may come to lie.
      {
        ConditionCheck: {
          TableName,
          Key: marshall({ uid, record }),
          ConditionExpression: 'attribute_exists(uid)',
        },
      },
    ];
  },

  down(item, TableName) {
    const activity = Activity.safeParse(item);
    if (!activity.success) return undefined;
    const { uid, backfilled_on: backfilledOn } = activity.data;
    return [
      {
        Delete: {
          TableName,
          Key: marshall({ uid, record: 'activity' }),
          // Whoever was here since then has a day of their own, and keeps it.
          ConditionExpression: 'last_active_on = :day',
          ExpressionAttributeValues: marshall({ ':day': backfilledOn }),
        },
      },
    ];
  },
};
