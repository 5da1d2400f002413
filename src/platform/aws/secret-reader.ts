import type { Config } from '../config.ts';
import type { Randomness } from '../ids.ts';
import { once } from '../once.ts';
import { serviceEndpoint } from './json/service-endpoint.ts';
import type { SecretText } from './secrets.ts';

const CONNECT_MS = 1_000;
const SILENT_MS = 1_000;

/** Returns a function that reads the secret's text with a client created at the first read. */
export function createSecretReader(
  { region, secretId }: Pick<Config, 'region' | 'secretId'>,
  env: Readonly<Record<string, string | undefined>>,
  randomness: Pick<Randomness, 'fraction'>,
): () => Promise<SecretText> {
  const service = once(async () => {
    const [{ createJsonService }, { awsCredentials }] = await Promise.all([
      import('./json/json-service.ts'),
      import('./credentials.ts'),
    ]);
    return createJsonService({
      dependency: 'Secrets Manager',
      spanName: 'SecretsManager',
      signingName: 'secretsmanager',
      targetPrefix: 'secretsmanager',
      jsonVersion: '1.1',
      endpoint: serviceEndpoint(env, { name: 'SECRETS_MANAGER', host: 'secretsmanager', region }),
      region,
      limits: { connectMs: CONNECT_MS, silentMs: SILENT_MS },
      credentials: await awsCredentials(),
      randomness,
    });
  });
  return async () => {
    const { SecretString: text, CreatedDate: written } = await (await service()).call('GetSecretValue', {
      SecretId: secretId,
    });
    if (typeof text !== 'string') throw new Error('The secret has no text value');
    // In seconds, with fractions.
    return { text, writtenAt: typeof written === 'number' ? Math.round(written * 1000) : undefined };
  };
}
