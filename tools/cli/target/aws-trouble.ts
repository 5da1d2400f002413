/** What AWS says to a caller with no credentials, old ones, or too few rights. */
const REFUSED_CREDENTIALS: ReadonlySet<string> = new Set([
  ...['ExpiredToken', 'ExpiredTokenException', 'InvalidClientTokenId', 'UnrecognizedClientException'],
  ...['InvalidSignatureException', 'SignatureDoesNotMatch', 'InvalidAccessKeyId', 'RequestExpired', 'AuthFailure'],
]);
const NOT_ALLOWED: ReadonlySet<string> = new Set([
  ...['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'Forbidden'],
]);
/** What the SDK throws when it has found no credentials, or could not refresh them. */
const NO_CREDENTIALS: ReadonlySet<string> = new Set(['CredentialsProviderError', 'TokenProviderError']);
const THROTTLED: ReadonlySet<string> = new Set([
  ...['ThrottlingException', 'Throttling', 'TooManyRequestsException', 'ProvisionedThroughputExceededException'],
  ...['RequestLimitExceeded', 'SlowDown'],
]);
const NOT_AWS = 'What answered is not AWS. Is there a proxy in between, or is AWS_ENDPOINT_URL set?';
const NOT_HERE = 'Is the environment deployed, in this account and region?';

/** A sentence about what whoever calls AWS has to mend; undefined for what is no such trouble. */
export function awsTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { name, message } = error;
  if (NO_CREDENTIALS.has(name)) return `No AWS credentials that work: sign in, or set AWS_PROFILE. (${message})`;
  if (message === 'Region is missing') return 'No AWS region: pass --region, or set AWS_REGION.';
  if (REFUSED_CREDENTIALS.has(name)) return `AWS refuses these credentials (${name}): sign in again.`;
  if (NOT_ALLOWED.has(name)) return `AWS does not allow it: ${message}`;
  if (THROTTLED.has(name)) return `AWS was asked too often (${name}). Wait a moment, then run it again.`;
  if (name === 'NoSuchBucket') return `The bucket does not exist. ${NOT_HERE} (${message})`;
  if (name === 'TableNotFoundException' || (name === 'ResourceNotFoundException' && /resource|table/i.test(message))) {
    return `A table, or another resource, does not exist. ${NOT_HERE} (${message})`;
  }
  return undefined;
}

/** For whatever else AWS has answered: its own words, in one line. */
export function awsAnswer(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined;
  const { name, message } = error;
  return message.includes('Deserialization error') ? NOT_AWS : `AWS answered ${name}: ${message.split('\n', 1)[0]}`;
}
