/** AWS errors for invalid or expired credentials. */
const REFUSED_CREDENTIALS: ReadonlySet<string> = new Set([
  ...['ExpiredToken', 'ExpiredTokenException', 'InvalidClientTokenId', 'UnrecognizedClientException'],
  ...['InvalidSignatureException', 'SignatureDoesNotMatch', 'InvalidAccessKeyId', 'RequestExpired', 'AuthFailure'],
]);
const NOT_ALLOWED: ReadonlySet<string> = new Set([
  ...['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'Forbidden'],
]);
/** SDK errors for missing credentials, or ones that could not be refreshed. */
const NO_CREDENTIALS: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TokenProviderError']);
const THROTTLED: ReadonlySet<string> = new Set([
  ...['ThrottlingException', 'Throttling', 'TooManyRequestsException', 'ProvisionedThroughputExceededException'],
  ...['RequestLimitExceeded', 'SlowDown'],
]);
const NOT_AWS = 'The response is not from AWS. Is there a proxy in between, or is AWS_ENDPOINT_URL set?';
const NOT_HERE = 'Is the environment deployed in this account and region?';

/** Describes an AWS error that the caller can fix in a sentence; undefined for other errors. */
export function awsTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message } = error;
  if (NO_CREDENTIALS.has(name)) return `No valid AWS credentials: sign in, or set AWS_PROFILE. (${message})`;
  if (message === 'Region is missing') return 'No AWS region: pass --region, or set AWS_REGION.';
  if (REFUSED_CREDENTIALS.has(name)) return `AWS rejected the credentials (${name}): sign in again.`;
  if (NOT_ALLOWED.has(name)) return `AWS denied access: ${message}`;
  if (THROTTLED.has(name)) return `AWS throttled the request (${name}). Wait a moment, then run the command again.`;
  if (name === 'NoSuchBucket') return `The bucket does not exist. ${NOT_HERE} (${message})`;
  if (name === 'TableNotFoundException' || (name === 'ResourceNotFoundException' && /resource|table/i.test(message))) {
    return `A table or another resource does not exist. ${NOT_HERE} (${message})`;
  }
  return undefined;
}

/** Returns the message of any other AWS error, in one line. */
export function awsAnswer(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { name, message } = error;
  return message.includes('Deserialization error') ? NOT_AWS : `AWS returned ${name}: ${message.split('\n', 1)[0]}`;
}
