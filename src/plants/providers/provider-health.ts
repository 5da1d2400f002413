import * as z from 'zod';
import { failedCondition } from '../../platform/aws/dynamo.ts';
import { isoTime } from '../../platform/clock.ts';
import { ProviderError, type ProviderName, tellsOfHealth } from '../../platform/plant-providers/provider-errors.ts';
import type { Services } from '../../platform/services.ts';

const SCHEMA = 1;
/** So many failures in a row, of all containers together, and the provider is not asked any more. */
const FAILURES_TO_OPEN = 3;
const OPEN_MS = 30_000;
/** Longer than a call may take: a probe whose container died gives way to the next. */
const PROBE_MS = 25_000;
/** How old the state may be that a container acts on. */
const KNOWN_MS = 2_000;
/** The last success is written this often, not with every photo. */
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
 * The circuit breakers of the providers. Their state lies in DynamoDB, so that what one container has found out spares
 * the others the waiting; it is kept for two seconds. When it can't be read the provider is asked: a photo that fails is
 * better than none that is tried.
 */
export function createProviderHealth({ config, documents, clock, log, metrics }: Needed) {
  const TableName = config.tables.rateLimits;
  const keyOf = (provider: ProviderName) => ({ id: `provider#${provider}` });
  /** A cache, as long as the container lives. */
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
  /** State that can't be kept must not cost the user the answer. */
  const quietly = async (provider: ProviderName, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      metrics.count('ProviderHealthUnavailable', { provider });
      log.warn('The state of a provider could not be kept', { provider }, error);
    }
  };

  /** Whether the provider may be asked now; of all containers one may probe a provider whose time is up. */
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
    log.error('A provider fails again and again and is not asked for a while', { provider, reason, openMs: OPEN_MS });
  };

  return {
    /** Runs a call to the provider, and learns from how it ends. @throws ProviderError */
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
        log.warn('The state of a provider could not be read; it is asked', { provider }, error);
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
