import { secretPlace } from '../../operations/secrets/secret-place.ts';
import { PlainError } from '../plain-error.ts';
import { settleAws } from './aws-place.ts';
import { environmentStack } from './environment-stack.ts';

export interface EnvironmentAccess {
  readonly apiBaseUrl: string;
  /** Where it is, for people. */
  readonly where: string;
  /**
   * The token in use now, out of the environment's secret.
   *
   * @throws PlainError when the secret, or the entry, is not there
   */
  token(name: 'OTA_ADMIN_TOKEN' | 'FACTORY_PROVISION_TOKEN'): Promise<string>;
}

/** How an environment in AWS is reached: its API by the outputs of its stack, its tokens by Secrets Manager. */
export async function environmentAccess(
  environment: string,
  options: { readonly region?: string; readonly profile?: string },
): Promise<EnvironmentAccess> {
  const { stackName = '', region, text } = await settleAws({ ...options, env: environment });
  const stack = await environmentStack(stackName, region);
  const apiBaseUrl = stack.output('ApiBaseUrl');
  return {
    apiBaseUrl,
    where: `at ${apiBaseUrl} (AWS account ${stack.account}, ${text})`,
    async token(name) {
      const secret = secretPlace(environment, region);
      const entry = (await secret.read())?.[name];
      // The newest one is in front while a token rotates.
      const value: unknown = Array.isArray(entry) ? entry[0] : entry;
      if (typeof value === 'string' && value !== '') return value;
      throw new PlainError(
        `${secret.name} has no ${name}: "npm run secrets:bootstrap -- --env ${environment}" adds it.`,
      );
    },
  };
}
