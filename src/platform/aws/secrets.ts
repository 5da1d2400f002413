import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { SecretValues } from './secret-values.ts';

export type { SecretValues };

export type TokenName = 'FACTORY_PROVISION_TOKEN' | 'OTA_ADMIN_TOKEN';

export interface Secrets {
  /** The current values, read at most every few minutes. */
  values(): Promise<SecretValues>;
  /** Values read within the last seconds: for a caller whose credential was just refused. */
  freshValues(): Promise<SecretValues>;
  /** Whether `given` is the token of that name; after a miss the secret is read again, so a rotation needs no deploy. */
  isToken(name: TokenName, given: string): Promise<boolean>;
}

/** The secret could not be read or does not have the form described in the architecture page. */
export class SecretsError extends Error {
  override readonly name = 'SecretsError';
}

/** However many wrong tokens arrive, the secret is not read again more often than this. */
const REREAD_AFTER_MISS_MS = 10_000;

/** The secret as it is kept. */
export interface SecretText {
  readonly text: string;
  /** When this version of it was written, in milliseconds since 1970; undefined where nobody knows. */
  readonly writtenAt: number | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * @param fetchSecret reads the secret
 * @param cacheMs how long a read is good for
 * @param metrics told of its age with every read: keys that nobody ever rotates are known to too many
 * @param onFirstRead told what the secret holds, once
 */
export function createSecrets(
  fetchSecret: () => Promise<SecretText>,
  cacheMs: number,
  clock: Clock,
  metrics: Pick<Metrics, 'gauge'>,
  onFirstRead: (values: SecretValues) => void = () => {},
): Secrets {
  let wasRead = false;
  let cached: { readonly at: number; readonly values: Promise<SecretValues> } | undefined;

  const read = (maxAgeMs: number): Promise<SecretValues> => {
    if (cached !== undefined && clock.now() - cached.at < maxAgeMs) return cached.values;
    const values = fetchSecret()
      .then(async ({ text, writtenAt }) => {
        if (writtenAt !== undefined) {
          metrics.gauge('SecretAgeDays', Math.max(0, Math.floor((clock.now() - writtenAt) / DAY_MS)));
        }
        const values = await parseSecret(text);
        if (!wasRead) onFirstRead(values);
        wasRead = true;
        return values;
      })
      .catch((error: unknown) => {
        cached = undefined;
        throw error;
      });
    cached = { at: clock.now(), values };
    return values;
  };

  const freshValues = () => read(Math.min(cacheMs, REREAD_AFTER_MISS_MS));

  return {
    values: () => read(cacheMs),
    freshValues,
    async isToken(name, given) {
      if (isOneOf(given, (await read(cacheMs))[name])) return true;
      return isOneOf(given, (await freshValues())[name]);
    },
  };
}

/**
 * Entries that this configuration needs and the secret lacks: told of all at once with a container's first read, and not
 * one by one as somebody happens to need them.
 */
export function missingSecrets(values: SecretValues, { billing }: Pick<Config, 'billing'>): readonly string[] {
  const needed = [
    ...(['FACTORY_PROVISION_TOKEN', 'OTA_ADMIN_TOKEN', 'RATE_LIMIT_SALT', 'OTA_SIGNING_KEY'] as const),
    ...(['KINDWISE_API_KEY', 'PLANTNET_API_KEY'] as const),
    ...(billing.priceId === undefined ? [] : (['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] as const)),
  ];
  return needed.filter((name) => values[name] === undefined);
}

/** Says in the log what the secret lacks; what does not need it works all the same. */
export function reportMissing(config: Pick<Config, 'billing'>, log: Pick<Log, 'error'>) {
  return (values: SecretValues): void => {
    const missing = missingSecrets(values, config);
    if (missing.length > 0) log.error('The secret is not complete', { missing: missing.join(', ') });
  };
}

/** The schema is loaded with the first secret that is read: many containers never read one. */
async function parseSecret(json: string): Promise<SecretValues> {
  const { SecretValues } = await import('./secret-values.ts');
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    // The parser's own message would quote the secret.
    throw new SecretsError('The secret is not JSON');
  }
  const result = SecretValues.safeParse(parsed);
  if (!result.success) {
    const names = result.error.issues.map((issue) => issue.path.join('.') || '(the whole)');
    throw new SecretsError(`The secret has malformed entries: ${names.join(', ')}`);
  }
  return result.data;
}

function isOneOf(given: string, tokens: string | readonly string[] | undefined): boolean {
  const digest = sha256(given);
  let found = false;
  // Every token is compared, and digests of equal length are: neither place nor length shows in the time it takes.
  for (const expected of typeof tokens === 'string' ? [tokens] : (tokens ?? [])) {
    if (timingSafeEqual(digest, sha256(expected))) found = true;
  }
  return found;
}

function sha256(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
