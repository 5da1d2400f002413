import { TimeLimitError, withTimeLimit } from '../platform/resilience/time-limit.ts';
import type { Services } from '../platform/services.ts';
import { StripeNotConfiguredError } from '../platform/stripe/stripe-errors.ts';

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  /** The kind of failure; details go into the log, not onto a public page. */
  readonly error?: 'timeout' | 'unavailable' | 'not_configured';
}

export interface Check {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** A value that an operator has to set is missing. */
class NotConfiguredError extends Error {
  override readonly name = 'NotConfiguredError';
}

/** One slow subsystem must not hide the state of the others, nor use up the request's time. */
export const CHECK_MS = 2_000;

export async function runCheck(check: Check, log: Services['log']): Promise<CheckResult> {
  const started = performance.now();
  const latency = () => Math.round(performance.now() - started);
  try {
    await withTimeLimit(CHECK_MS, (signal) => check.run(signal));
    return { name: check.name, ok: true, latencyMs: latency() };
  } catch (error) {
    log.warn('A health check failed', { check: check.name }, error);
    return { name: check.name, ok: false, latencyMs: latency(), error: kindOf(error) };
  }
}

function kindOf(error: unknown): NonNullable<CheckResult['error']> {
  if (error instanceof TimeLimitError) return 'timeout';
  if (error instanceof NotConfiguredError || error instanceof StripeNotConfiguredError) return 'not_configured';
  return 'unavailable';
}

type Needed = Pick<Services, 'config' | 'documents' | 'objectStore' | 'secrets' | 'cognitoTokens' | 'stripe'>;
type SecretName = keyof Awaited<ReturnType<Services['secrets']['values']>>;

/** The individual checks: each a cheap read that fails exactly when the product would. */
export function createChecks(services: Needed) {
  const { config, documents, objectStore, secrets, cognitoTokens, stripe } = services;

  const table = (name: string, TableName: string, Key: Record<string, string>): Check => ({
    name: `table:${name}`,
    run: async (signal) => {
      // Reads a key that never exists: costs half a read unit and needs the same permissions as the product.
      await (await documents()).get({ TableName, Key }, { abortSignal: signal });
    },
  });

  return {
    usersTable: table('users', config.tables.users, { uid: '#health', record: '#health' }),
    provisioningTable: table('provisioning', config.tables.provisioning, { hw_id: '#health', record: '#health' }),
    releasesTable: table('ota-releases', config.tables.otaReleases, { board_channel: '#health', version: '#health' }),
    rateLimitsTable: table('rate-limits', config.tables.rateLimits, { id: '#health' }),
    bucket: { name: 'bucket', run: (signal: AbortSignal) => objectStore.ping(signal) },
    signIn: { name: 'sign-in', run: (signal: AbortSignal) => cognitoTokens.fetchKeys(signal) },
    stripe: { name: 'stripe', run: async () => (await stripe()).ping() },
    secret: (...names: readonly SecretName[]): Check => ({
      name: 'secrets',
      run: async () => {
        const values = await secrets.values();
        const missing = names.filter((name) => values[name] === undefined);
        if (missing.length > 0) throw new NotConfiguredError(`the secret lacks ${missing.join(', ')}`);
      },
    }),
  } as const;
}
