import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { PlainError } from '../../cli/plain-error.ts';
import type { SecretContent } from './secret-changes.ts';

const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

const CURRENT = 'AWSCURRENT';
/** Marks a version that is written but not current yet. */
const PROPOSED = 'AUTOWATERING_PROPOSED';

interface ReadSecret {
  readonly content: SecretContent;
  readonly version: string;
}

/** An environment's secret in Secrets Manager, accessed with the caller's credentials. */
export function secretPlace(environment: string, region: string | undefined) {
  const client = new SecretsManager({ requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) });
  const name = `autowatering-backend-${environment}/secrets`;
  return {
    name,

    /** Returns the content; undefined if the secret does not exist yet. */
    async read(): Promise<SecretContent | undefined> {
      return (await this.readCurrent())?.content;
    },

    /** The same, with the version to replace. */
    async readCurrent(): Promise<ReadSecret | undefined> {
      try {
        const { SecretString: text = '', VersionId: version = '' } = await client.getSecretValue({ SecretId: name });
        return { content: parsed(name, text), version };
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

    /**
     * Writes a new version and makes it current in place of the one that was read.
     *
     * @throws PlainError if another version has become current since
     */
    async replace(content: SecretContent, { version: read }: Pick<ReadSecret, 'version'>): Promise<void> {
      const { VersionId: written } = await client.putSecretValue({
        SecretId: name,
        SecretString: JSON.stringify(content),
        VersionStages: [PROPOSED],
      });
      const moved = client.updateSecretVersionStage({
        SecretId: name,
        VersionStage: CURRENT,
        MoveToVersionId: written,
        RemoveFromVersionId: read,
      });
      await moved.catch(async (error: unknown) => {
        if (!(error instanceof Error && error.name === 'InvalidParameterException')) throw error;
        // The SDK may have retried after a lost answer: then it is current already.
        if ((await this.readCurrent())?.version === written) return;
        throw new PlainError(
          `${name} was just changed by someone else; nothing of this run took effect. Run this command again.`,
        );
      });
    },
  };
}

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
