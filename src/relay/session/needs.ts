import type { PeerFrame, Rekey, SessionEstablished } from '@autowatering/relay-protocol';
import type { Uid } from '../../platform/ids.ts';
import type { Connections } from '../delivery/connections.ts';
import type { IdentityKeys } from '../identity-keys.ts';
import type { ConnectionId, PeerId } from '../names.ts';
import type { AccessTokens } from '../tokens/access-token.ts';
import type { Session } from './session.ts';

/** A peer as the handshake needs it. */
export interface KnownPeer {
  readonly status: 'active' | 'revoked';
  /** Ed25519, 32 bytes in base64url. */
  readonly publicKey: string;
  /** Of its newest session, if that has not ended. */
  readonly connectionId: ConnectionId | undefined;
}

export type SessionFrame = Exclude<PeerFrame, Rekey>;

/** What sessions use of the relay's other parts. */
export interface SessionNeeds {
  readonly connections: Connections;
  readonly identity: Pick<IdentityKeys, 'signing'>;
  readonly accessTokens: Pick<AccessTokens, 'verify'>;
  readonly peers: {
    /** Strongly consistent. */
    read(uid: Uid, peerId: PeerId): Promise<KnownPeer | undefined>;
  };
  isAccountDeleted(uid: Uid): Promise<boolean>;
  /** Called with every message: what its session will need may be loaded and read while its connection is looked up. */
  prepare?(): void;
  /** What a new session learns about its account. */
  welcome(uid: Uid): Promise<Pick<SessionEstablished, 'streams' | 'peers'>>;
  /** Serves a frame of an established session: sends its answers itself. */
  serve(session: Session, frame: SessionFrame): Promise<void>;
  /** Tells the account's other peers. Never fails because of them. */
  announce(uid: Uid, peerId: PeerId, online: boolean): Promise<void>;
}
