import {
  type ClientAuth,
  fromBase64Url,
  HANDSHAKE_MS,
  HEARTBEAT_SECONDS,
  MAX_CONNECTION_MS,
  MAX_FRAME_BYTES,
  REKEY_AFTER_SECONDS,
} from '@autowatering/relay-protocol';
import type { Services } from '../../platform/services.ts';
import type { ConnectionId } from '../names.ts';
import type { Endings, Stores } from './ending.ts';
import type { RefusalCode } from './handshake-table.ts';
import { isConfirmed, type SessionKeys } from './keys/key-schedule.ts';
import { handshakeKeysOf, wrapGeneration } from './keys/session-keys.ts';
import type { SessionNeeds } from './needs.ts';
import { sendSealed } from './send.ts';
import type { Session } from './session.ts';
import type { GreetedConnection } from './store/connection-record.ts';

/** How often another connection of the peer may be established in between. */
const MOST_ATTEMPTS = 4;

interface Established {
  readonly session: Session;
  /** The connection that the peer had until now. */
  readonly replaced: ConnectionId | undefined;
}

type Needed = Pick<Services, 'clock' | 'log' | 'metrics' | 'randomness'>;

/** Checks the peer's proof and establishes the session. */
export function createAuthenticate(
  { clock, log, metrics, randomness }: Needed,
  needs: SessionNeeds,
  { sessions, keyWrap }: Pick<Stores, 'sessions' | 'keyWrap'>,
  endings: Endings,
) {
  const establish = async (record: GreetedConnection, keys: SessionKeys, auth: ClientAuth) => {
    const wrapped = await wrapGeneration(keyWrap, record.connectionId, 0, keys);
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt += 1) {
      const { uid, peerId } = record;
      const peer = await needs.peers.read(uid, peerId);
      if (peer?.status !== 'active') return 'unknown_peer';
      if (attempt === 1 && !isProven(record, keys, peer.publicKey, auth)) return 'bad_signature';
      const now = clock.now();
      const outcome = await sessions.establish(record, peer.connectionId, wrapped, now);
      if (outcome === 'out_of_turn' || outcome === 'newer_connected') return outcome;
      if (outcome === 'established') return establishedOf(record, keys, peer.connectionId, now);
    }
    return 'unavailable';
  };

  const welcome = async (record: GreetedConnection, session: Session): Promise<void> => {
    const { streams, peers } = await needs.welcome(session.uid);
    await sendSealed(needs.connections, randomness, session, {
      type: 'session_established',
      session_id: session.sessionId,
      peer_id: session.peerId,
      expires_at: record.openedAt + MAX_CONNECTION_MS,
      heartbeat_seconds: HEARTBEAT_SECONDS,
      rekey_after_seconds: REKEY_AFTER_SECONDS,
      max_frame_bytes: MAX_FRAME_BYTES,
      streams,
      peers,
    });
  };

  /** If this `bye` is lost, the older connection gets it with its next frame. */
  const sayReplaced = async (connectionId: ConnectionId): Promise<void> => {
    try {
      await endings.bye(connectionId, 'replaced', 'This peer has connected again.');
    } catch (error) {
      log.warn('A replaced connection could not be ended', { connectionId }, error);
    }
  };

  return async (record: GreetedConnection, auth: ClientAuth): Promise<void> => {
    const { connectionId } = record;
    if (clock.now() > record.greetedAt + HANDSHAKE_MS) return endings.refuse(connectionId, 'handshake_timeout');
    const keys = await handshakeKeysOf(keyWrap, record);
    const outcome: Established | RefusalCode | 'newer_connected' = await establish(record, keys, auth);
    if (outcome === 'newer_connected') return sayReplaced(connectionId);
    if (typeof outcome === 'string') return endings.refuse(connectionId, outcome);
    const { session, replaced } = outcome;
    metrics.count('RelayHandshakes', { outcome: 'established' });
    await Promise.all([
      welcome(record, session),
      needs.announce(session.uid, session.peerId, true),
      replaced && sayReplaced(replaced),
    ]);
  };
}

function isProven(
  { sessionId, peerId }: GreetedConnection,
  keys: SessionKeys,
  publicKey: string,
  auth: ClientAuth,
): boolean {
  const [key, signature, mac] = [publicKey, auth.signature, auth.mac].map(fromBase64Url);
  if (auth.session_id !== sessionId || key === undefined || signature === undefined || mac === undefined) return false;
  return isConfirmed({ peerId, publicKey: key }, keys, { signature, mac });
}

function establishedOf(
  { connectionId, sessionId, uid, peerId }: GreetedConnection,
  { s2c }: SessionKeys,
  before: ConnectionId | undefined,
  now: number,
): Established {
  const times = { establishedAt: now, rekeyedAt: now };
  return {
    session: { connectionId, sessionId, uid, peerId, generation: 0, ...times, s2c },
    replaced: before === connectionId ? undefined : before,
  };
}
