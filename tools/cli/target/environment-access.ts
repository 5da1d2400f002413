import { secretPlace } from '../../operations/secrets/secret-place.ts';
import { PlainError } from '../plain-error.ts';
import { settleAws } from './aws-place.ts';
import { environmentStack } from './environment-stack.ts';

export interface EnvironmentAccess {
  readonly apiBaseUrl: string;
  /** Undefined if the environment was deployed without a relay. */
  readonly relayUrl: string | undefined;
  /** Its location, for display. */
  readonly where: string;
  /**
   * Returns the current token from the environment's secret.
   *
   * @throws PlainError if the secret or the entry is missing
   */
  token(name: 'OTA_ADMIN_TOKEN' | 'FACTORY_PROVISION_TOKEN'): Promise<string>;
}

/** Finds an environment in AWS: its API by its stack's outputs, its tokens in Secrets Manager. */
export async function environmentAccess(
  environment: string,
  options: { readonly region?: string; readonly profile?: string },
): Promise<EnvironmentAccess> {
  const { stackName = '', region, text } = await settleAws({ ...options, env: environment });
  const stack = await environmentStack(stackName, region);
  const apiBaseUrl = stack.output('ApiBaseUrl');
  return {
    apiBaseUrl,
    relayUrl: stack.find('RelayUrl'),
    where: `at ${apiBaseUrl} (AWS account ${stack.account}, ${text})`,
    async token(name) {
      const secret = secretPlace(environment, region);
      const entry = (await secret.read())?.[name];
      // During a rotation, the newest token is the first.
      const value: unknown = Array.isArray(entry) ? entry[0] : entry;
      if (typeof value === 'string' && value !== '') return value;
      throw new PlainError(
        `${secret.name} has no ${name}. Add it with "npm run secrets:bootstrap -- --env ${environment}".`,
      );
    },
  };
}
