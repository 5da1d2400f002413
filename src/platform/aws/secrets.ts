import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Log } from '../observability/log.ts';
import type { Metrics } from '../observability/metrics.ts';
import { ShapeError } from '../shapes.ts';
import { readSecretValues, type SecretValues } from './secret-values.ts';

export type { SecretValues };

export type TokenName = 'FACTORY_PROVISION_TOKEN' | 'OTA_ADMIN_TOKEN';

export interface Secrets {
  /** The current values, read at most every few minutes. */
  values(): Promise<SecretValues>;
  /** Values read within the last seconds: for a caller whose credential was just rejected. */
  freshValues(): Promise<SecretValues>;
  /** Checks `given` against the named token; rereads the secret after a miss, so that a rotation needs no deploy. */
  isToken(name: TokenName, given: string): Promise<boolean>;
}

/** The secret could not be read, or does not have the format described on the architecture page. */
export class SecretsError extends Error {
  override readonly name = 'SecretsError';
}

/** However many wrong tokens arrive, the secret is not reread more often than this. */
const REREAD_AFTER_MISS_MS = 10_000;

/** The secret as stored. */
export interface SecretText {
  readonly text: string;
  /** When this version was written, in milliseconds since 1970; undefined when unknown. */
  readonly writtenAt: number | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * @param fetchSecret reads the secret
 * @param cacheMs how long the values are cached
 * @param metrics records the secret's age on every read: keys that are never rotated become known to too many people
 * @param onFirstRead called once, with the values of the first read
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
      .then(({ text, writtenAt }) => {
        if (writtenAt !== undefined) {
          metrics.gauge('SecretAgeDays', Math.max(0, Math.floor((clock.now() - writtenAt) / DAY_MS)));
        }
        const values = parseSecret(text);
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
 * Returns the entries that this configuration needs and the secret lacks. They are reported together on a container's
 * first read, not one by one when something needs them.
 */
export function missingSecrets(
  values: SecretValues,
  { billing, notifications }: Pick<Config, 'billing' | 'notifications'>,
): readonly string[] {
  const needed = [
    ...(['FACTORY_PROVISION_TOKEN', 'OTA_ADMIN_TOKEN', 'RATE_LIMIT_SALT'] as const),
    ...(['CLAIM_CODE_KEY', 'OTA_SIGNING_KEY'] as const),
    ...(['RELAY_IDENTITY_KEY', 'RELAY_WRAP_KEY'] as const),
    ...(['KINDWISE_API_KEY', 'PLANTNET_API_KEY'] as const),
    ...(billing.priceId === undefined ? [] : (['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'] as const)),
    ...(notifications.pushContact === undefined ? [] : (['VAPID_KEY'] as const)),
    ...(notifications.mailFrom === undefined ? [] : (['UNSUBSCRIBE_KEY'] as const)),
  ];
  return needed.filter((name) => values[name] === undefined);
}

/** Logs which entries the secret lacks; whatever does not need them keeps working. */
export function reportMissing(config: Pick<Config, 'billing' | 'notifications'>, log: Pick<Log, 'error'>) {
  return (values: SecretValues): void => {
    const missing = missingSecrets(values, config);
    if (missing.length > 0) log.error('The secret is not complete', { missing: missing.join(', ') });
  };
}

function parseSecret(json: string): SecretValues {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    // The parser's own message would quote the secret.
    throw new SecretsError('The secret is not JSON');
  }
  try {
    return readSecretValues(parsed);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const names = error.places.map((place) => place || '(the whole)');
    throw new SecretsError(`The secret has malformed entries: ${names.join(', ')}`);
  }
}

/** An entry's values, the newest first: while one is replaced there are two. None if the entry is not set. */
export function listed(entry: string | readonly string[] | undefined): readonly string[] {
  return [entry ?? []].flat();
}

function isOneOf(given: string, tokens: string | readonly string[] | undefined): boolean {
  const digest = sha256(given);
  let found = false;
  // Every token is compared, by digests of equal length: the time taken reveals neither position nor length.
  for (const expected of listed(tokens)) {
    if (timingSafeEqual(digest, sha256(expected))) found = true;
  }
  return found;
}

function sha256(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
