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
 * The backend has not always recorded the last day of use, so users who have been inactive since then have none. The
 * day of their last write is the best known value.
 */
export const lastActivity: Migration = {
  id: 1,
  name: 'last-activity',
  summary: 'sets a missing last day of use to the day of the last write',
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
      // Don't create an item for an account that is being deleted.
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
          // Users who have been active since then keep the recorded day.
          ConditionExpression: 'last_active_on = :day',
          ExpressionAttributeValues: marshall({ ':day': backfilledOn }),
        },
      },
    ];
  },
};
