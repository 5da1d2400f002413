import {
  createAllow,
  keyedSubject,
  type NeededToCount,
  noteUncounted,
  refusal,
  windowAt,
} from '../../http/checks/rate-limit.ts';
import { failedCondition } from '../../platform/aws/dynamo.ts';
import type { Serial, Uid } from '../../platform/ids.ts';

const WINDOW_SECONDS = 600;
/** Attempts per person and device, enough for typos. */
const PER_PERSON = { requests: 10, windowSeconds: WINDOW_SECONDS } as const;
/** Attempts on a device by everybody together, before each person is limited to their own reserve. */
const PER_DEVICE = 20;
/** Each person's reserve on a device that many have tried: an owner gets in, a crowd learns nothing. */
const LAST_TRIES = 3;
const ROUTE = 'claim code';

/** @throws ApiError `rate_limited` */
export type CountProof = (serial: Serial, uid: Uid) => Promise<void>;

/**
 * Counts an attempt to prove possession of a device: a claim code, a transfer code or a signed nonce. Nobody can use up
 * another person's attempts. They only use up the device's shared ones, and everybody has a few of their own after
 * those. Known and unknown serials are counted alike.
 *
 * A device's shared attempts and who made them are one item, so an attempt costs one write. It lists at most 20 people.
 */
export function createCountProof(services: NeededToCount): CountProof {
  const { config, clock, documents } = services;
  const allow = createAllow(services);

  /** Counts a shared attempt. Once those are used up, returns how many were this person's. */
  const takeCommonTry = async (serial: Serial, person: string): Promise<'counted' | number> => {
    const { start, expiresAt } = windowAt(clock.now(), PER_PERSON);
    try {
      await (await documents()).update({
        TableName: config.tables.rateLimits,
        Key: { id: `rate#${ROUTE}#${await keyedSubject(services, `serial:${serial}`)}#${start}` },
        UpdateExpression: 'SET expires_at = :expires, #schema = :schema ADD hits :one, #person :one',
        ConditionExpression:
          'attribute_not_exists(hits) OR (hits < :common AND (attribute_not_exists(#person) OR #person < :own))',
        ExpressionAttributeNames: { '#schema': 'schema', '#person': person },
        ExpressionAttributeValues: {
          ...{ ':expires': expiresAt, ':schema': 1, ':one': 1 },
          ...{ ':common': PER_DEVICE, ':own': PER_PERSON.requests },
        },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      });
      return 'counted';
    } catch (error) {
      const failed = failedCondition(error);
      if (failed === undefined) throw error;
      return Number(failed.item?.[person] ?? 0);
    }
  };

  return async (serial, uid) => {
    const subject = `user:${uid}|serial:${serial}`;
    const tried = await keyedSubject(services, subject)
      .then((person) => takeCommonTry(serial, `by_${person}`))
      .catch((error: unknown) => {
        noteUncounted(services, ROUTE, error);
        return 'counted' as const;
      });
    if (tried === 'counted') return;
    const left = Math.min(LAST_TRIES, PER_PERSON.requests - tried);
    if (left <= 0) throw refusal(services, ROUTE, PER_PERSON);
    await allow('claim code, last tries', { requests: left, windowSeconds: WINDOW_SECONDS }, subject);
  };
}
