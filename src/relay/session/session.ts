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
  /** What the server sends is sealed with it; of the newest keys. Never stored or logged like this. */
  readonly s2c: Buffer;
}
