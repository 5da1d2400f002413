import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOL } from '@autowatering/relay-protocol';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { ConnectionId, PeerId } from '../names.ts';
import { looksLikeAccessToken } from '../tokens/access-token.ts';
import type { Stores } from './ending.ts';
import type { SessionNeeds } from './needs.ts';

export type ConnectOutcome =
  | { readonly accepted: true; readonly uid: Uid }
  | {
      readonly accepted: false;
      readonly status: 400 | 401 | 403 | 429;
      readonly code: 'subprotocol' | 'auth_required' | 'invalid_token' | 'forbidden' | 'rate_limited';
      readonly uid?: Uid;
    };

interface Caller {
  readonly uid: Uid;
  /** Undefined for a user's own token. */
  readonly peerId: PeerId | undefined;
}

type Needed = Pick<Services, 'clock' | 'cognitoTokens'>;

/**
 * Decides about a connection before it exists.
 *
 * @param onAccepted called while the connection is being stored
 */
export function createConnect(
  { clock, cognitoTokens }: Needed,
  needs: SessionNeeds,
  { connections, sessions }: Pick<Stores, 'connections' | 'sessions'>,
  onAccepted: () => void,
) {
  const callerOf = async (token: string): Promise<Caller | undefined> => {
    if (looksLikeAccessToken(token)) {
      const verdict = await needs.accessTokens.verify(token);
      return verdict.valid ? { uid: verdict.uid, peerId: verdict.peerId } : undefined;
    }
    const verdict = await cognitoTokens.verify(token);
    if (!verdict.valid || verdict.claims.tokenUse !== 'id') return undefined;
    return { uid: verdict.claims.uid, peerId: undefined };
  };

  const mayBeHere = async ({ uid, peerId }: Caller): Promise<boolean> => {
    const [isDeleted, peer] = await Promise.all([
      needs.isAccountDeleted(uid),
      peerId === undefined ? undefined : needs.peers.read(uid, peerId),
    ]);
    return !isDeleted && (peerId === undefined || peer?.status === 'active');
  };

  /** @param offered the subprotocols that the client offers */
  return async (connectionId: ConnectionId, offered: readonly string[]): Promise<ConnectOutcome> => {
    if (!offered.includes(SUBPROTOCOL)) return { accepted: false, status: 400, code: 'subprotocol' };
    const [token, ...others] = offered
      .filter((name) => name.startsWith(BEARER_SUBPROTOCOL_PREFIX))
      .map((name) => name.slice(BEARER_SUBPROTOCOL_PREFIX.length));
    if (token === undefined || others.length > 0) return { accepted: false, status: 401, code: 'auth_required' };
    const caller = await callerOf(token);
    if (caller === undefined) return { accepted: false, status: 401, code: 'invalid_token' };
    const { uid, peerId } = caller;
    if (!(await mayBeHere(caller))) return { accepted: false, status: 403, code: 'forbidden', uid };
    const now = clock.now();
    if (!(await sessions.mayConnect(uid, connectionId, now))) {
      return { accepted: false, status: 429, code: 'rate_limited', uid };
    }
    onAccepted();
    await connections.open({ connectionId, uid, tokenPeerId: peerId }, now);
    // The account's deletion finds what was written before it began; what was written beside it has to go here.
    if (await needs.isAccountDeleted(uid)) {
      await Promise.all([connections.remove(connectionId), sessions.forgetConnects(uid, now)]);
      return { accepted: false, status: 403, code: 'forbidden', uid };
    }
    return { accepted: true, uid };
  };
}
