import { isUid, type Uid } from '../../../platform/ids.ts';
import { bytes, fields, number, oneOf, optional, type Shape, text, textThat } from '../../../platform/shapes.ts';
import { type ConnectionId, isConnectionId, isPeerId, type PeerId } from '../../names.ts';
import { CONNECTION_STATES } from '../handshake-table.ts';

interface OpenedConnection {
  readonly connectionId: ConnectionId;
  readonly uid: Uid;
  /** The peer of the access token that opened the connection; none with a Cognito token. */
  readonly tokenPeerId: PeerId | undefined;
  readonly openedAt: number;
  readonly expiresAt: number;
}

interface AgreedConnection extends OpenedConnection {
  readonly sessionId: string;
  readonly peerId: PeerId;
  readonly th: Buffer;
  /** Wrapped. */
  readonly keys: Buffer;
}

export interface GreetedConnection extends AgreedConnection {
  readonly state: 'greeted';
  readonly greetedAt: number;
}

export interface EstablishedConnection extends AgreedConnection {
  readonly state: 'established';
  readonly generation: number;
  readonly establishedAt: number;
  readonly rekeyedAt: number;
  readonly previous: { readonly keys: Buffer; readonly until: number } | undefined;
}

/** A connection as stored. Keys are wrapped; times are in milliseconds since 1970. */
export type ConnectionRecord =
  | ({ readonly state: 'connected' } & OpenedConnection)
  | GreetedConnection
  | EstablishedConnection
  /** @param sessionOf the peer that had a session */
  | ({ readonly state: 'closed'; readonly sessionOf: PeerId | undefined } & OpenedConnection);

const peerId = textThat(isPeerId, 'the id of a peer');
const keyBytes: Shape<Buffer> = (value, at) => Buffer.from(bytes(value, at));

const storedState = fields({ state: oneOf(CONNECTION_STATES) });
const storedOpened = fields({
  connection_id: textThat(isConnectionId, 'the id of a connection'),
  uid: textThat(isUid, 'the id of a user'),
  token_peer_id: optional(peerId),
  opened_at: number,
  /** Seconds since 1970. */
  expires_at: number,
});
const storedHandshake = fields({ session_id: text, peer_id: peerId, th: keyBytes, keys: keyBytes });
const storedGreeted = fields({ greeted_at: number });
const storedEstablished = fields({
  generation: number,
  established_at: number,
  rekeyed_at: number,
  previous_keys: optional(keyBytes),
  previous_until: optional(number),
  faults: optional(number),
});
const storedClosed = fields({ peer_id: optional(peerId), established_at: optional(number) });

/** @throws ShapeError for anything else */
export function readConnection(item: Record<string, unknown>): ConnectionRecord {
  const { state } = storedState(item);
  const opened = toOpened(item);
  switch (state) {
    case 'connected':
      return { state, ...opened };
    case 'greeted':
      return { state, ...opened, ...toAgreed(item), greetedAt: storedGreeted(item).greeted_at };
    case 'established':
      return { state, ...opened, ...toAgreed(item), ...toEstablished(item) };
    case 'closed': {
      const { peer_id, established_at: establishedAt } = storedClosed(item);
      return { state, ...opened, sessionOf: establishedAt === undefined ? undefined : peer_id };
    }
  }
}

function toOpened(item: unknown): OpenedConnection {
  const stored = storedOpened(item);
  return {
    connectionId: stored.connection_id,
    uid: stored.uid,
    tokenPeerId: stored.token_peer_id,
    openedAt: stored.opened_at,
    expiresAt: stored.expires_at * 1000,
  };
}

function toAgreed(item: unknown): Omit<AgreedConnection, keyof OpenedConnection> {
  const { session_id: sessionId, peer_id, th, keys } = storedHandshake(item);
  return { sessionId, peerId: peer_id, th, keys };
}

function toEstablished(item: unknown): Omit<EstablishedConnection, 'state' | keyof AgreedConnection> {
  const stored = storedEstablished(item);
  const { previous_keys: keys, previous_until: until } = stored;
  return {
    generation: stored.generation,
    establishedAt: stored.established_at,
    rekeyedAt: stored.rekeyed_at,
    previous: keys === undefined || until === undefined ? undefined : { keys, until },
  };
}
