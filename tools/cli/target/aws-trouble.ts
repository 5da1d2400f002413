/** What AWS says to a caller with no credentials, old ones, or too few rights. */
const REFUSED_CREDENTIALS: ReadonlySet<string> = new Set([
  ...['ExpiredToken', 'ExpiredTokenException', 'InvalidClientTokenId', 'UnrecognizedClientException'],
  ...['InvalidSignatureException', 'SignatureDoesNotMatch', 'InvalidAccessKeyId'],
]);
const NOT_ALLOWED: ReadonlySet<string> = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation']);

/** A sentence about what whoever calls AWS has to mend; undefined for what is no such trouble. */
export function awsTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'CredentialsProviderError') return 'No AWS credentials were found: sign in, or set AWS_PROFILE.';
  if (error.message === 'Region is missing') return 'No AWS region: pass --region, or set AWS_REGION.';
  if (REFUSED_CREDENTIALS.has(error.name)) return `AWS refuses these credentials (${error.name}): sign in again.`;
  return NOT_ALLOWED.has(error.name) ? `AWS does not allow it: ${error.message}` : undefined;
}
