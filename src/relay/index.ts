import type { PeerVerdict } from '../http/checks/authenticate.ts';
import type { Services } from '../platform/services.ts';
import { createPeerStore } from './peers/peer-store.ts';
import { createAccessTokens } from './tokens/access-token.ts';

/** For the guard: whose token it is. Read afresh each time, so that a revoked peer is out with its next request. */
export function peerOf(services: Services): (token: string) => Promise<PeerVerdict | undefined> {
  const accessTokens = createAccessTokens(services);
  const peers = createPeerStore(services);
  return async (token) => {
    const verdict = await accessTokens.verify(token);
    if (!verdict.valid) return undefined;
    const { uid, peerId } = verdict;
    return { uid, peerId, isActive: (await peers.read(uid, peerId))?.status === 'active' };
  };
}
