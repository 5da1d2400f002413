import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Stands in for `@aws-sdk/credential-provider-node` in the Lambda bundle (template.yaml, `Alias`): the runtime puts
 * the role's credentials into the environment, and the chain's other sources (SSO, profiles, instance metadata) are
 * a fifth of what the hot route would otherwise load.
 */
export const defaultProvider = () => fromEnv();
