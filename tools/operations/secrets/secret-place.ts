import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { PlainError } from '../../cli/plain-error.ts';
import type { SecretContent } from './secret-changes.ts';

const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** An environment's secret in Secrets Manager, by the rights of whoever calls. */
export function secretPlace(environment: string, region: string | undefined) {
  const client = new SecretsManager({ requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) });
  const name = `autowatering-backend-${environment}/secrets`;
  return {
    name,

    /** What it holds; undefined when there is none yet. */
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
        throw new PlainError(
          `${name} was made by somebody else at this moment. Run it again: it completes what is there.`,
        );
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
    // The parser's own message would quote the secret.
    throw new PlainError(`${name} is not JSON. Mend it by hand; it is left as it is.`);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new PlainError(`${name} is no JSON object. Mend it by hand; it is left as it is.`);
  }
  return { ...content };
}
