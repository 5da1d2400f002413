import type { Uid } from '../platform/ids.ts';
import type { ConnectionId, PeerId, StreamName } from './names.ts';

export interface TableKey {
  readonly partition: string;
  readonly record: string;
}

/**
 * Partitions begin with the account, so that nothing of another account can be named. A uid is escaped: it may contain
 * any character, and “#” separates the parts. The exceptions are looked up by what a stranger presents (a connection,
 * a peer id, a public key), and name the account they belong to.
 */
const account = (uid: Uid) => encodeURIComponent(uid);

/** Everything about an account except its events: one query reads its peers, another who is online. */
export const accountPartition = (uid: Uid): string => account(uid);

/** `account`: counts that limits are checked against. */
export const accountKey = (uid: Uid): TableKey => ({ partition: account(uid), record: 'account' });

/** Who the peer is, whether it may act, and its rate: every publish writes it, so it stays under 1 KB. */
export const peerKey = (uid: Uid, peer: PeerId): TableKey => ({ partition: account(uid), record: `peer#${peer}` });
export const PEER_PREFIX = 'peer#';

/** Reserves a peer's name. */
export const peerNameKey = (uid: Uid, nameKey: string): TableKey => ({
  partition: account(uid),
  record: `name#${nameKey}`,
});

/** Exists while a peer is connected: what is needed to post to it. */
export const onlineKey = (uid: Uid, peer: PeerId): TableKey => ({ partition: account(uid), record: `online#${peer}` });
export const ONLINE_PREFIX = 'online#';

export const streamKey = (uid: Uid, stream: StreamName): TableKey => ({
  partition: account(uid),
  record: `stream#${stream}`,
});
export const STREAM_PREFIX = 'stream#';

/** How far a peer has read a stream. */
export const cursorKey = (uid: Uid, peer: PeerId, stream: StreamName): TableKey => ({
  partition: account(uid),
  record: `cursor#${peer}#${stream}`,
});
export const CURSOR_PREFIX = 'cursor#';

/** Marks what may be used once: a handshake's nonce, an assertion's `jti`. Expires. */
export const usedOnceKey = (uid: Uid, peer: PeerId, kind: 'nonce' | 'jti', value: string): TableKey => ({
  partition: account(uid),
  record: `${kind}#${peer}#${value}`,
});

/** An account's connections of one second, counted and named: records of connections are found by their id only. Expires. */
export const connectsKey = (uid: Uid, second: number): TableKey => ({
  partition: account(uid),
  record: `${CONNECTS_PREFIX}${second}`,
});
export const CONNECTS_PREFIX = 'connects#';

/** A family of a peer's refresh tokens. */
export const familyKey = (uid: Uid, peer: PeerId, family: string): TableKey => ({
  partition: account(uid),
  record: `${familyPrefix(peer)}${family}`,
});
export const familyPrefix = (peer: PeerId): string => `family#${peer}#`;

/**
 * A log whose events may still exist. Written with the log's stream, removed when its last event is: so that the
 * deletion of a stream or an account can be repeated until nothing is left.
 */
export const logKey = (uid: Uid, stream: StreamName, log: string): TableKey => ({
  partition: account(uid),
  record: `log#${stream}#${log}`,
});
export const LOG_PREFIX = 'log#';

/** The events of one log, each item by the seq of its last event. The log's id outlives a change of epoch. */
export const eventsKey = (uid: Uid, stream: StreamName, log: string, lastSeq: number): TableKey => ({
  partition: `${account(uid)}#events#${stream}#${log}`,
  record: String(lastSeq).padStart(16, '0'),
});

/** Now and then where an author was in a log: a publish that is repeated late is found from there. */
export const markKey = (uid: Uid, stream: StreamName, log: string, mark: string): TableKey => ({
  partition: `${account(uid)}#marks#${stream}#${log}`,
  record: mark,
});

/** The newest event of each key of a log. */
export const newestKey = (uid: Uid, stream: StreamName, log: string, key: string): TableKey => ({
  partition: `${account(uid)}#newest#${stream}#${log}`,
  record: key,
});

/** By what a stranger presents. */
export const connectionKey = (connection: ConnectionId): TableKey => ({
  partition: `connection#${connection}`,
  record: 'connection',
});
export const peerIndexKey = (peer: PeerId): TableKey => ({ partition: `peer#${peer}`, record: 'peer' });
export const publicKeyKey = (publicKey: string): TableKey => ({ partition: `key#${publicKey}`, record: 'key' });
