import { createHmac } from 'node:crypto';
import { failedCondition } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { Services } from '../../platform/services.ts';
import { ApiError } from '../errors.ts';
import type { RateLimit } from '../route-contract.ts';

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

export type NeededToCount = Pick<Services, 'config' | 'clock' | 'documents' | 'secrets' | 'log' | 'metrics'>;

/**
 * A fixed window per route and caller. One conditional update counts and decides, so parallel requests can't all pass
 * (contract, trap 4). The caller's address or id is stored only as a keyed hash.
 *
 * When the table is unavailable, the request proceeds: the handler needs the same database and reports the failure.
 */
export function createAllow(services: NeededToCount): Allow {
  const { config, clock, documents } = services;

  return async (route, limit, subject, cost = 1) => {
    const { start, expiresAt, resetSeconds } = windowAt(clock.now(), limit);
    try {
      const who = await keyedSubject(services, subject);
      const { Attributes: counted } = await (await documents()).update({
        TableName: config.tables.rateLimits,
        Key: { id: `rate#${route}#${who}#${start}` },
        UpdateExpression: 'SET expires_at = :expires, #schema = :schema ADD hits :cost',
        ConditionExpression: 'attribute_not_exists(hits) OR hits <= :room',
        ExpressionAttributeNames: { '#schema': 'schema' },
        ExpressionAttributeValues: {
          ':expires': expiresAt,
          ':schema': 1,
          ':cost': cost,
          ':room': limit.requests - cost,
        },
        ReturnValues: 'UPDATED_NEW',
      });
      return quotaHeaders(limit, Number(counted?.['hits'] ?? limit.requests), resetSeconds);
    } catch (error) {
      if (failedCondition(error) !== undefined) throw refusal(services, route, limit);
      noteUncounted(services, route, error);
      return {};
    }
  };
}

/** The fixed window that a moment is in: its start and the end of its counter in seconds, and how long it still lasts. */
export function windowAt(now: number, { windowSeconds }: Pick<RateLimit, 'windowSeconds'>) {
  const windowMs = windowSeconds * 1000;
  const startMs = Math.floor(now / windowMs) * windowMs;
  return {
    start: startMs / 1000,
    expiresAt: ttlSeconds(startMs + 2 * windowMs),
    resetSeconds: Math.max(1, Math.ceil((startMs + windowMs - now) / 1000)),
  };
}

/** A subject as counters know it: whoever reads them learns neither users nor addresses. */
export async function keyedSubject({ secrets, config }: NeededToCount, subject: string): Promise<string> {
  const { RATE_LIMIT_SALT: salt = config.env } = await secrets.values();
  return createHmac('sha256', salt).update(subject).digest('base64url').slice(0, 22);
}

/** The answer to somebody who has used up a limit. */
export function refusal(
  { metrics, clock }: Pick<NeededToCount, 'metrics' | 'clock'>,
  route: string,
  limit: RateLimit,
): ApiError {
  const { resetSeconds } = windowAt(clock.now(), limit);
  metrics.count('RateLimited', { route });
  return new ApiError('rate_limited', 'That was a little too often. Please wait a moment and try again.', {
    headers: { ...quotaHeaders(limit, limit.requests, resetSeconds), 'Retry-After': String(resetSeconds) },
  });
}

export function noteUncounted({ metrics, log }: NeededToCount, route: string, error: unknown): void {
  metrics.count('RateLimitUnavailable');
  log.warn('The rate limit could not be counted; the request goes on', { route }, error);
}

/** The headers that tell a caller what is left of a limit, after so many requests in the window. */
export function quotaHeaders({ requests, windowSeconds }: RateLimit, counted: number, resetSeconds: number) {
  return {
    'RateLimit-Policy': `"default";q=${requests};w=${windowSeconds}`,
    RateLimit: `"default";r=${Math.max(0, requests - counted)};t=${resetSeconds}`,
  };
}
