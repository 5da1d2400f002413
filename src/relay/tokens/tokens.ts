import type { Services } from '../../platform/services.ts';
import type { PeerStore } from '../peers/peer-store.ts';
import { ACCESS_TOKEN_SECONDS, createAccessTokens } from './access-token.ts';
import { parseAssertion } from './assertion.ts';
import { formatRefreshToken, newFamily, newRefreshToken, parseRefreshToken } from './refresh-token.ts';
import type { TokenStore } from './token-store.ts';

export interface TokenPair {
  readonly accessToken: string;
  readonly expiresInSeconds: number;
  readonly refreshToken: string;
}

export type Grant =
  | { readonly granted: true; readonly tokens: TokenPair }
  | { readonly granted: false; readonly fault: string };

type Needed = Pick<Services, 'config' | 'secrets' | 'clock' | 'randomness' | 'metrics' | 'log'>;

/** Gives peers their tokens: for an assertion signed with the peer's key, or for the newest refresh token. */
export function createTokens(services: Needed, peers: PeerStore, store: TokenStore) {
  const { clock, randomness, metrics, log } = services;
  const accessTokens = createAccessTokens(services);
  /** The same for a peer that is unknown, revoked or another key's: strangers learn nothing about peers. */
  const notByPeer = { granted: false, fault: 'the assertion is not signed by an active peer' } as const;

  return {
    /** @param audience the token route's own address */
    async byAssertion(text: string, audience: string, clientId: string | undefined): Promise<Grant> {
      const now = clock.now();
      const assertion = parseAssertion(text, audience, now);
      if ('fault' in assertion) return { granted: false, fault: assertion.fault };
      if (clientId !== undefined && clientId !== assertion.peerId) {
        return { granted: false, fault: 'client_id names another peer than the assertion' };
      }
      const found = await peers.findById(assertion.peerId);
      if (found?.peer.status !== 'active' || !assertion.isSignedBy(found.peer.publicKey)) return notByPeer;
      const { uid, peer } = found;
      const token = newRefreshToken(peer.peerId, newFamily(randomness), randomness);
      const accessToken = await accessTokens.issue(uid, peer.peerId);
      const outcome = await store.openFamily(uid, token, assertion, now);
      if (outcome === 'peer_revoked') return notByPeer;
      if (outcome === 'assertion_used') return { granted: false, fault: 'the assertion was used before' };
      return granted(accessToken, formatRefreshToken(token));
    },

    async byRefreshToken(text: string, clientId: string | undefined): Promise<Grant> {
      const refused = { granted: false, fault: 'the refresh token is not good any more' } as const;
      const given = parseRefreshToken(text);
      if (given === undefined || (clientId !== undefined && clientId !== given.peerId)) return refused;
      const found = await peers.findById(given.peerId);
      if (found === undefined) return refused;
      const { uid } = found;
      const next = newRefreshToken(given.peerId, given.family, randomness);
      const accessToken = await accessTokens.issue(uid, given.peerId);
      const outcome = await store.rotate(uid, given, next, clock.now());
      if (outcome === 'reused') {
        metrics.count('RelayTokenReuse');
        log.warn('A refresh token was used twice; its family is revoked', { uid, peerId: given.peerId });
      }
      return outcome === 'rotated' ? granted(accessToken, formatRefreshToken(next)) : refused;
    },

    /** Ends the family of a refresh token, whichever of its tokens it is. `not_revocable`: an access token. */
    async revoke(text: string): Promise<'revoked' | 'unknown' | 'not_revocable'> {
      const given = parseRefreshToken(text);
      if (given === undefined) return (await accessTokens.verify(text)).valid ? 'not_revocable' : 'unknown';
      const found = await peers.findById(given.peerId);
      if (found === undefined) return 'unknown';
      await store.removeFamily(found.uid, given);
      return 'revoked';
    },
  };

  function granted(accessToken: string, refreshToken: string): Grant {
    return { granted: true, tokens: { accessToken, expiresInSeconds: ACCESS_TOKEN_SECONDS, refreshToken } };
  }
}

export type Tokens = ReturnType<typeof createTokens>;
