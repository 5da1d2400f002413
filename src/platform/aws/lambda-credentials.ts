import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Replaces `@aws-sdk/credential-provider-node` in the Lambda bundle (template.yaml, `Alias`): the runtime puts the
 * role's credentials into the environment, and the chain's other sources (SSO, profiles, instance metadata) would be a
 * fifth of what the hot route loads.
 */
export const defaultProvider = () => fromEnv();
