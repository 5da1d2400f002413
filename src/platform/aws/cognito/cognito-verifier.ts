import { CognitoJwtVerifier } from 'aws-jwt-verify/cognito-verifier';
import { JwksValidationError, JwkValidationError } from 'aws-jwt-verify/error';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';

export interface Verifier {
  /** @throws Error saying what is wrong with the token, or what `fetchKeys` throws, or a fault of the key set */
  verify(token: string): Promise<Readonly<Record<string, unknown>>>;
  /** Fetches the key set. */
  hydrate(): Promise<void>;
  /** Whether an error of `verify` is about the key set, and not about the token. */
  isKeySetFault(error: unknown): boolean;
}

/**
 * AWS's verifier of a user pool's tokens. This module is loaded with the first token; it imports the library part by
 * part, because its index loads the verifiers of other issuers as well.
 */
export function createCognitoVerifier(
  { userPoolId, clientIds }: { readonly userPoolId: string; readonly clientIds: readonly string[] },
  fetchKeys: (uri: string) => Promise<ArrayBuffer>,
): Verifier {
  const verifier = CognitoJwtVerifier.create(
    // Both kinds are accepted (contract, "Auth"); the verifier still insists on one of the two.
    { userPoolId, tokenUse: null, clientId: [...clientIds] },
    { jwksCache: new SimpleJwksCache({ fetcher: { fetch: fetchKeys } }) },
  );
  return {
    verify: async (token) => ({ ...(await verifier.verify(token)) }),
    hydrate: () => verifier.hydrate(),
    isKeySetFault: (error) => error instanceof JwksValidationError || error instanceof JwkValidationError,
  };
}
