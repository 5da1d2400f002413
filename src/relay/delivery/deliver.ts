import type { ByeCode, RelayEvent, ServerFrame } from '@autowatering/relay-protocol';
import pMap from 'p-map';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { ConnectionId, Epoch, PeerId, StreamName } from '../names.ts';
import { createKeyWrap } from '../session/keys/wrapped-keys.ts';
import { type Addressee, sendSealed } from '../session/send.ts';
import type { Session } from '../session/session.ts';
import { createConnectionStore } from '../session/store/connection-store.ts';
import { createSessionStore } from '../session/store/session-store.ts';
import type { Connections } from './connections.ts';
import { createOnlineStore, type OnlinePeer } from './online-store.ts';

/** All of an account at once: it has at most 20 peers. */
const PEERS_AT_ONCE = 20;

export interface DeliveryCounts {
  readonly posted: number;
  readonly gone: number;
  readonly failed: number;
}

export interface DeliveryOptions {
  readonly except?: PeerId;
  /** Only to its subscribers. */
  readonly stream?: StreamName;
}

export interface LiveEvents {
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly events: readonly RelayEvent[];
}

/** A peer, and the connection that its own item names. */
export interface ConnectedPeer {
  readonly peerId: PeerId;
  readonly connectionId: ConnectionId | undefined;
}

type Posted = 'posted' | 'gone' | 'failed';

/** Sends sealed frames to peers. Nothing here fails because a peer can't be reached: the log is the truth. */
export interface Delivery {
  /** To one session, sealed with its newest key. */
  toSession(session: Session, frame: ServerFrame): Promise<Posted>;
  /** To everybody online of the account, or the subscribers of a stream. */
  toAccount(uid: Uid, frame: ServerFrame, options?: DeliveryOptions): Promise<DeliveryCounts>;
  /** New events to the subscribers of their stream, to each in order. */
  events(uid: Uid, live: LiveEvents, except: PeerId): Promise<DeliveryCounts>;
  /** Ends a session: says `bye` to it and closes its connection, of which nothing is read any more. */
  endSession(session: Session, code: ByeCode, reason: string): Promise<void>;
  /**
   * Ends a peer's session from outside it: first on our side, then for the peer itself, which may be out of reach. Can be
   * repeated.
   *
   * @param peer read after the change that keeps it from establishing another session, with the connection it had then
   */
  bye(uid: Uid, peer: ConnectedPeer, code: ByeCode, reason: string): Promise<void>;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness' | 'secrets' | 'clock' | 'metrics' | 'log'>;

export function createDelivery(services: Needed, connections: Connections): Delivery {
  const { randomness, metrics, clock, log } = services;
  const online = createOnlineStore(services);
  const sessions = createSessionStore(services);
  const records = createConnectionStore(services);
  const keys = createKeyWrap(services);

  const addressee = async (peer: OnlinePeer): Promise<Addressee> => ({
    ...{ connectionId: peer.connectionId, sessionId: peer.sessionId, generation: peer.generation },
    s2c: await keys.unwrap(peer.wrappedKey, peer.connectionId),
  });

  /** One after the other, so that they arrive in order; no more once the connection is gone. */
  const send = async (to: Addressee, frames: readonly ServerFrame[]): Promise<Posted> => {
    let outcome: Posted = 'posted';
    for (const frame of frames) {
      const posted = await sendSealed(connections, randomness, to, frame);
      if (posted === 'gone') return 'gone';
      if (posted === 'failed') outcome = 'failed';
    }
    return outcome;
  };

  const reach = async (uid: Uid, peer: OnlinePeer, frames: readonly ServerFrame[]): Promise<Posted> => {
    try {
      const outcome = await send(await addressee(peer), frames);
      // Its `$disconnect` has not come, or never will.
      if (outcome === 'gone' && (await sessions.leave(uid, peer.peerId, peer.connectionId, clock.now()))) {
        await toAccount(uid, presence(peer.peerId, false, clock.now()), { except: peer.peerId });
      }
      return outcome;
    } catch (error) {
      log.error('A frame could not be delivered to a peer', { connectionId: peer.connectionId }, error);
      return 'failed';
    }
  };

  const toPeers = async (
    uid: Uid,
    frames: readonly ServerFrame[],
    { except, stream }: DeliveryOptions,
  ): Promise<DeliveryCounts> => {
    const peers = (await online.list(uid)).filter(
      ({ peerId, endsAt, subscriptions }) =>
        peerId !== except &&
        endsAt > clock.now() &&
        (stream === undefined || subscriptions.has('*') || subscriptions.has(stream)),
    );
    const outcomes = await pMap(peers, (peer) => reach(uid, peer, frames), { concurrency: PEERS_AT_ONCE });
    const count = (outcome: Posted) => outcomes.filter((one) => one === outcome).length;
    return { posted: count('posted'), gone: count('gone'), failed: count('failed') };
  };

  const nobody: DeliveryCounts = { posted: 0, gone: 0, failed: 0 };
  const toAccount: Delivery['toAccount'] = async (uid, frame, options = {}) => {
    try {
      return await toPeers(uid, [frame], options);
    } catch (error) {
      log.error('A frame could not be delivered to an account', { type: frame.type }, error);
      return nobody;
    }
  };

  return {
    toAccount,

    toSession: (session, frame) => sendSealed(connections, randomness, session, frame),

    async events(uid, { stream, epoch, events }, except) {
      const started = performance.now();
      const frames = events.map((event) => ({ type: 'event', stream, epoch, event }) as const);
      try {
        const counts = await toPeers(uid, frames, { except, stream });
        if (counts.posted > 0) {
          metrics.count('RelayEventsOut', {}, counts.posted * events.length);
          metrics.duration('RelayFanOutMs', performance.now() - started);
        }
        return counts;
      } catch (error) {
        log.error('Events could not be delivered', { stream }, error);
        return nobody;
      }
    },

    async endSession(session, code, reason) {
      await records.close(session.connectionId);
      await sendSealed(connections, randomness, session, { type: 'bye', code, reason });
      await connections.close(session.connectionId);
    },

    async bye(uid, { peerId, connectionId }, code, reason) {
      const peer = await online.read(uid, peerId);
      const ended = new Set([connectionId, peer?.connectionId]);
      await Promise.all([...ended].map((one) => one !== undefined && records.close(one)));
      if (peer === undefined) return;
      const wasOnline = await sessions.leave(uid, peerId, peer.connectionId, clock.now());
      try {
        await send(await addressee(peer), [{ type: 'bye', code, reason }]);
      } catch (error) {
        // The connection is closed all the same.
        log.warn('A farewell could not be sealed', { connectionId: peer.connectionId }, error);
      }
      await connections.close(peer.connectionId);
      // `$disconnect` will find that the peer has left already, and say nothing.
      if (wasOnline) await toAccount(uid, presence(peerId, false, clock.now()), { except: peerId });
    },
  };
}

/** A peer came or went. */
export function presence(peerId: PeerId, isOnline: boolean, lastSeenAt: number | null): ServerFrame {
  return { type: 'presence', peer_id: peerId, online: isOnline, last_seen_at: lastSeenAt };
}
