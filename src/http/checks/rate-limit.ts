import { createHmac } from 'node:crypto';
import { failedCondition } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { Services } from '../../platform/services.ts';
import type { RateLimit } from '../define-route.ts';
import { ApiError } from '../errors.ts';

/**
 * Counts the request and returns the headers with the remaining quota.
 *
 * @param cost how many requests it counts as; 1 by default
 */
export type Allow = (
  route: string,
  limit: RateLimit,
  subject: string,
  cost?: number,
) => Promise<Readonly<Record<string, string>>>;

type Needed = Pick<Services, 'config' | 'clock' | 'documents' | 'secrets' | 'log' | 'metrics'>;

/**
 * A fixed window per route and caller. One conditional update counts and decides, so parallel requests can't all pass
 * (contract, trap 4). The caller's address or id is stored only as a keyed hash.
 *
 * When the table is unavailable, the request proceeds: the handler needs the same database and reports the failure.
 */
export function createAllow(services: Needed): Allow {
  const { config, clock, documents, secrets, log, metrics } = services;

  return async (route, limit, subject, cost = 1) => {
    const windowMs = limit.windowSeconds * 1000;
    const windowStart = Math.floor(clock.now() / windowMs) * windowMs;
    const resetSeconds = Math.max(1, Math.ceil((windowStart + windowMs - clock.now()) / 1000));
    const policy = { 'RateLimit-Policy': `"default";q=${limit.requests};w=${limit.windowSeconds}` };
    const state = (remaining: number) => ({ ...policy, RateLimit: `"default";r=${remaining};t=${resetSeconds}` });
    try {
      const { RATE_LIMIT_SALT: salt = config.env } = await secrets.values();
      const who = createHmac('sha256', salt).update(subject).digest('base64url').slice(0, 22);
      const { Attributes: counted } = await (await documents()).update({
        TableName: config.tables.rateLimits,
        Key: { id: `rate#${route}#${who}#${windowStart / 1000}` },
        UpdateExpression: 'SET expires_at = :expires, #schema = :schema ADD hits :cost',
        ConditionExpression: 'attribute_not_exists(hits) OR hits <= :room',
        ExpressionAttributeNames: { '#schema': 'schema' },
        ExpressionAttributeValues: {
          ':expires': ttlSeconds(windowStart + 2 * windowMs),
          ':schema': 1,
          ':cost': cost,
          ':room': limit.requests - cost,
        },
        ReturnValues: 'UPDATED_NEW',
      });
      return state(Math.max(0, limit.requests - Number(counted?.['hits'] ?? limit.requests)));
    } catch (error) {
      if (failedCondition(error) !== undefined) {
        metrics.count('RateLimited', { route });
        throw new ApiError('rate_limited', 'That was a little too often. Please wait a moment and try again.', {
          headers: { ...state(0), 'Retry-After': String(resetSeconds) },
        });
      }
      metrics.count('RateLimitUnavailable');
      log.warn('The rate limit could not be counted; the request goes on', { route }, error);
      return {};
    }
  };
}
