import { failedCondition, wasConditionMet } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { PlantFeature, UsageLimits } from '../../platform/plant-providers/plants-config.ts';
import type { Services } from '../../platform/services.ts';
import type { Reservation, UsagePeriod } from './usage-period.ts';

const SCHEMA = 1;

export interface Counts {
  readonly day: number;
  readonly month: number;
}

/** One record per user, feature and month in `users`, with a counter for the month and one for each day of it. */
export function createUsageStore({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.users;
  const keyOf = (uid: Uid, feature: PlantFeature, { month }: UsagePeriod) => ({
    uid,
    record: `usage#${feature}#${month}`,
  });
  const dayField = ({ day }: UsagePeriod) => `day_${day}`;

  return {
    /** Counts one use if both limits allow it; otherwise returns the current counts. */
    async countUp(
      uid: Uid,
      feature: PlantFeature,
      period: UsagePeriod,
      limits: UsageLimits,
      expiresAt: number,
    ): Promise<'counted' | Counts> {
      const conditions = [
        ...(limits.day === -1 ? [] : ['(attribute_not_exists(#day) OR #day < :day)']),
        ...(limits.month === -1 ? [] : ['(attribute_not_exists(month_count) OR month_count < :month)']),
      ];
      try {
        await (await documents()).update({
          TableName,
          Key: keyOf(uid, feature, period),
          UpdateExpression: 'SET expires_at = :expires, #schema = :schema ADD month_count :one, #day :one',
          ...(conditions.length === 0 ? {} : { ConditionExpression: conditions.join(' AND ') }),
          ExpressionAttributeNames: { '#day': dayField(period), '#schema': 'schema' },
          ExpressionAttributeValues: {
            ':expires': expiresAt,
            ':schema': SCHEMA,
            ':one': 1,
            ...(limits.day === -1 ? {} : { ':day': limits.day }),
            ...(limits.month === -1 ? {} : { ':month': limits.month }),
          },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        return 'counted';
      } catch (error) {
        const conflict = failedCondition(error);
        if (conflict === undefined) throw error;
        return countsIn(conflict.item, period);
      }
    },

    /** Gives a use back; does not recreate a record that was deleted with its account. */
    async countDown(uid: Uid, { feature, period }: Reservation): Promise<void> {
      await wasConditionMet(async () =>
        (await documents()).update({
          TableName,
          Key: keyOf(uid, feature, period),
          UpdateExpression: 'ADD month_count :less, #day :less',
          ConditionExpression: 'month_count > :zero AND #day > :zero',
          ExpressionAttributeNames: { '#day': dayField(period) },
          ExpressionAttributeValues: { ':less': -1, ':zero': 0 },
        }),
      );
    },

    async read(uid: Uid, feature: PlantFeature, period: UsagePeriod): Promise<Counts> {
      const Key = keyOf(uid, feature, period);
      const { Item: item } = await (await documents()).get({ TableName, Key, ConsistentRead: true });
      return countsIn(item, period);
    },

    async drop(uid: Uid, { feature, period }: Reservation): Promise<void> {
      await (await documents()).delete({ TableName, Key: keyOf(uid, feature, period) });
    },
  };

  function countsIn(item: Readonly<Record<string, unknown>> | undefined, period: UsagePeriod): Counts {
    return { day: Number(item?.[dayField(period)] ?? 0), month: Number(item?.['month_count'] ?? 0) };
  }
}

export type UsageStore = ReturnType<typeof createUsageStore>;
