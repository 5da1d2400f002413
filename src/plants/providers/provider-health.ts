import * as z from 'zod';
import { failedCondition } from '../../platform/aws/dynamo.ts';
import { isoTime } from '../../platform/clock.ts';
import { ProviderError, type ProviderName, tellsOfHealth } from '../../platform/plant-providers/provider-errors.ts';
import type { Services } from '../../platform/services.ts';

const SCHEMA = 1;
/** Consecutive failures, over all containers, that open the circuit. */
const FAILURES_TO_OPEN = 3;
const OPEN_MS = 30_000;
/** Longer than a call may take; after that, a probe whose container died gives way to the next. */
const PROBE_MS = 25_000;
/** How long a container may act on the state it has read. */
const KNOWN_MS = 2_000;
/** The last success is written at most this often. */
const SUCCESS_NOTED_MS = 60_000;

const StoredHealth = z.object({
  failures: z.number().default(0),
  open_until: z.number().default(0),
  last_success_at: z.number().optional(),
  last_failure_at: z.number().optional(),
  last_trouble: z.string().optional(),
});

export interface ProviderHealth {
  readonly state: 'closed' | 'half_open' | 'open';
  readonly lastSuccessAt: string | null;
  readonly lastFailureAt: string | null;
  readonly lastTrouble: string | null;
}

type Needed = Pick<Services, 'config' | 'documents' | 'clock' | 'log' | 'metrics'>;
type Stored = z.output<typeof StoredHealth>;

/**
 * The providers' circuit breakers. Their state is stored in DynamoDB, so that containers learn from each other, and
 * cached for two seconds. When it can't be read, the provider is called: a photo that fails is better than one that is
 * never tried.
 */
export function createProviderHealth({ config, documents, clock, log, metrics }: Needed) {
  const TableName = config.tables.rateLimits;
  const keyOf = (provider: ProviderName) => ({ id: `provider#${provider}` });
  /** Cache that lives as long as the container. */
  const known = new Map<ProviderName, { readonly at: number; readonly stored: Stored }>();

  const read = async (provider: ProviderName, maxAgeMs = KNOWN_MS): Promise<Stored> => {
    const now = clock.now();
    const kept = known.get(provider);
    if (kept !== undefined && now - kept.at < maxAgeMs) return kept.stored;
    const { Item: item = {} } = await (await documents()).get({ TableName, Key: keyOf(provider) });
    const stored = StoredHealth.parse(item);
    known.set(provider, { at: now, stored });
    return stored;
  };
  /** A state that can't be saved must not cost the user the answer. */
  const quietly = async (provider: ProviderName, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      metrics.count('ProviderHealthUnavailable', { provider });
      log.warn('Could not save the state of a provider', { provider }, error);
    }
  };

  /** Admits a call to the provider. Once the open time is over, only one of all containers may probe it. */
  const enter = async (provider: ProviderName): Promise<'closed' | 'probe'> => {
    const now = clock.now();
    const { open_until: openUntil } = await read(provider);
    if (openUntil === 0) return 'closed';
    if (now < openUntil) throw new ProviderError(provider, 'circuit_open');
    try {
      await (await documents()).update({
        TableName,
        Key: keyOf(provider),
        UpdateExpression: 'SET probe_until = :until',
        ConditionExpression: 'attribute_not_exists(probe_until) OR probe_until <= :now',
        ExpressionAttributeValues: { ':until': now + PROBE_MS, ':now': now },
      });
      return 'probe';
    } catch (error) {
      if (failedCondition(error) === undefined) throw error;
      throw new ProviderError(provider, 'circuit_open');
    }
  };

  const succeeded = async (provider: ProviderName, before: Stored): Promise<void> => {
    const now = clock.now();
    const isNews = before.failures > 0 || before.open_until > 0;
    if (!isNews && now - (before.last_success_at ?? 0) < SUCCESS_NOTED_MS) return;
    await (await documents()).update({
      TableName,
      Key: keyOf(provider),
      UpdateExpression:
        'SET failures = :zero, open_until = :zero, last_success_at = :now, updated_at = :time, #schema = :schema REMOVE probe_until',
      ExpressionAttributeNames: { '#schema': 'schema' },
      ExpressionAttributeValues: { ':zero': 0, ':now': now, ':time': isoTime(now), ':schema': SCHEMA },
    });
    known.delete(provider);
    if (before.open_until > 0) log.info('A provider is back', { provider });
  };

  const failed = async (error: ProviderError, wasProbe: boolean): Promise<void> => {
    const { provider, reason } = error;
    const now = clock.now();
    const { Attributes: stored } = await (await documents()).update({
      TableName,
      Key: keyOf(provider),
      UpdateExpression:
        'SET last_failure_at = :now, last_trouble = :reason, updated_at = :time, #schema = :schema ADD failures :one',
      ExpressionAttributeNames: { '#schema': 'schema' },
      ExpressionAttributeValues: {
        ':now': now,
        ':reason': reason,
        ':time': isoTime(now),
        ':schema': SCHEMA,
        ':one': 1,
      },
      ReturnValues: 'ALL_NEW',
    });
    known.delete(provider);
    const { failures, open_until: openUntil } = StoredHealth.parse(stored);
    if (!wasProbe && (failures < FAILURES_TO_OPEN || openUntil > now)) return;
    await (await documents()).update({
      TableName,
      Key: keyOf(provider),
      UpdateExpression: 'SET open_until = :until REMOVE probe_until',
      ExpressionAttributeValues: { ':until': now + OPEN_MS },
    });
    metrics.count('ProviderCircuitOpened', { provider });
    log.error('A provider keeps failing and is not called for a while', { provider, reason, openMs: OPEN_MS });
  };

  return {
    /** Runs a call to the provider and records how it ends. @throws ProviderError */
    async watch<T>(provider: ProviderName, call: () => Promise<T>): Promise<T> {
      const started = performance.now();
      let before: Stored = StoredHealth.parse({});
      let entered: 'closed' | 'probe' = 'closed';
      try {
        before = await read(provider);
        entered = await enter(provider);
      } catch (error) {
        if (error instanceof ProviderError) {
          metrics.count('ProviderFailed', { provider, reason: error.reason });
          throw error;
        }
        metrics.count('ProviderHealthUnavailable', { provider });
        log.warn('Could not read the state of a provider; calling it anyway', { provider }, error);
      }
      try {
        const result = await call();
        await quietly(provider, () => succeeded(provider, before));
        return result;
      } catch (error) {
        if (error instanceof ProviderError) {
          metrics.count('ProviderFailed', { provider, reason: error.reason });
          if (tellsOfHealth(error)) await quietly(provider, () => failed(error, entered === 'probe'));
        }
        throw error;
      } finally {
        metrics.duration('ProviderCall', performance.now() - started, { provider });
      }
    },

    /** For the health pages. */
    async report(provider: ProviderName): Promise<ProviderHealth> {
      const stored = await read(provider, 0);
      const time = (ms: number | undefined) => (ms === undefined ? null : isoTime(ms));
      const isOver = clock.now() >= stored.open_until;
      return {
        state: stored.open_until === 0 ? 'closed' : isOver ? 'half_open' : 'open',
        lastSuccessAt: time(stored.last_success_at),
        lastFailureAt: time(stored.last_failure_at),
        lastTrouble: stored.last_trouble ?? null,
      };
    },
  };
}

export type ProviderHealthBook = ReturnType<typeof createProviderHealth>;
