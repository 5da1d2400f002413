import type { AwsCredentials } from './json/signature.ts';

/**
 * Replaces `@aws-sdk/credential-provider-node` in the Lambda bundle (template.yaml, `Alias`): the runtime puts the
 * role's credentials into the environment, and the chain's other sources (SSO, profiles, instance metadata) would be a
 * fifth of what the hot route loads.
 */
export const defaultProvider = () => async (): Promise<AwsCredentials> => {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: token,
  } = process.env;
  if (!accessKeyId || !secretAccessKey) throw new Error('The environment has no AWS credentials');
  return { accessKeyId, secretAccessKey, ...(token && { sessionToken: token }) };
};
