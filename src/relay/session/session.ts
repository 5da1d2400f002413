import type { Uid } from '../../platform/ids.ts';
import type { ConnectionId, PeerId } from '../names.ts';

/** An established session: a peer, proven by the handshake, on one connection. */
export interface Session {
  readonly connectionId: ConnectionId;
  /** Base64url of 16 bytes. */
  readonly sessionId: string;
  readonly uid: Uid;
  readonly peerId: PeerId;
  /** Of the newest keys. */
  readonly generation: number;
  /** Milliseconds since 1970. */
  readonly establishedAt: number;
  readonly rekeyedAt: number;
  /** The newest key for frames to the peer, where it is at hand: saves reading it again to answer. */
  readonly s2cKey?: Buffer;
}
