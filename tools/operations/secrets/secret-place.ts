import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { PlainError } from '../../cli/plain-error.ts';
import type { SecretContent } from './secret-changes.ts';

const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** An environment's secret in Secrets Manager, accessed with the caller's credentials. */
export function secretPlace(environment: string, region: string | undefined) {
  const client = new SecretsManager({ requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) });
  const name = `autowatering-backend-${environment}/secrets`;
  return {
    name,

    /** Returns the content; undefined if the secret does not exist yet. */
    async read(): Promise<SecretContent | undefined> {
      try {
        const { SecretString: text = '' } = await client.getSecretValue({ SecretId: name });
        return parsed(name, text);
      } catch (error) {
        if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },

    async create(content: SecretContent): Promise<void> {
      const made = client.createSecret({
        Name: name,
        Description: 'Keys and tokens of the AutoWatering backend; npm run secrets:bootstrap writes it',
        SecretString: JSON.stringify(content),
      });
      await made.catch((error: unknown) => {
        if (!(error instanceof Error && error.name === 'ResourceExistsException')) throw error;
        throw new PlainError(`${name} was just created by someone else. Run this command again to complete it.`);
      });
    },

    async replace(content: SecretContent): Promise<void> {
      await client.putSecretValue({ SecretId: name, SecretString: JSON.stringify(content) });
    },
  };
}

export type SecretPlace = ReturnType<typeof secretPlace>;

function parsed(name: string, text: string): SecretContent {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // The parser's message would quote the secret.
    throw new PlainError(`${name} is not JSON. Fix it by hand; nothing was changed.`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new PlainError(`${name} is not a JSON object. Fix it by hand; nothing was changed.`);
  }
  return { ...content };
}
