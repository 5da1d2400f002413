import type { AwsCredentials } from './json/signature.ts';

/**
 * Replaces `@aws-sdk/credential-provider-node` in the Lambda bundle (template.yaml, `Alias`): the runtime puts the
 * role's credentials into the environment. The chain's other sources (SSO, profiles, instance metadata), and even the
 * SDK's own reader of the environment, would be most of what the hot route loads.
 */
export const defaultProvider = () => async (): Promise<AwsCredentials> => {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = process.env;
  if (!accessKeyId || !secretAccessKey) throw new Error('There are no AWS credentials in the environment');
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
};
