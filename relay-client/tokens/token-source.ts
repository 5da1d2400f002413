/**
 * Returns a token that opens the relay: an access token of the peer, or a Cognito id token. `refresh: true` means that
 * the last one may have been refused.
 *
 * @throws RelayError `token_refused` if the peer gets none any more; anything else is tried again
 */
export type TokenSource = (how: { readonly refresh: boolean }) => Promise<string>;
