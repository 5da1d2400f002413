import type { ByeCode, RelayEvent, ServerFrame } from '@autowatering/relay-protocol';
import { SEAL_NONCE_BYTES } from '@autowatering/relay-protocol';
import pMap from 'p-map';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { Epoch, PeerId, StreamName } from '../names.ts';
import { seal } from '../session/sealing.ts';
import type { Session } from '../session/session.ts';
import { createKeyWrap } from '../session/wrapped-keys.ts';
import type { Connections } from './connections.ts';
import { createOnlineStore, type OnlinePeer } from './online-store.ts';

/** An account has at most 20 peers. */
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

type Posted = 'posted' | 'gone' | 'failed';

/** Sends sealed frames to peers. Nothing here fails because a peer can't be reached: the log is the truth. */
export interface Delivery {
  /** To one session, sealed with its newest key. */
  toSession(session: Session, frame: ServerFrame): Promise<Posted>;
  /** To everybody online of the account, or the subscribers of a stream. */
  toAccount(uid: Uid, frame: ServerFrame, options?: DeliveryOptions): Promise<DeliveryCounts>;
  /** New events to the subscribers of their stream, to each in order. */
  events(
    uid: Uid,
    published: { readonly stream: StreamName; readonly epoch: Epoch; readonly events: readonly RelayEvent[] },
    except: PeerId,
  ): Promise<DeliveryCounts>;
  /** Says `bye` and closes the peer's connection, if it has one. */
  bye(uid: Uid, peerId: PeerId, code: ByeCode, reason: string): Promise<void>;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness' | 'secrets' | 'clock' | 'metrics'>;

export function createDelivery(services: Needed, connections: Connections): Delivery {
  const { randomness, metrics, clock } = services;
  const online = createOnlineStore(services);
  const keys = createKeyWrap(services);

  const sealed = (key: Buffer, sessionId: string, generation: number, frame: ServerFrame): string => {
    const nonce = randomness.bytes(SEAL_NONCE_BYTES);
    const session = Buffer.from(sessionId, 'base64url');
    return JSON.stringify(seal(key, 's2c', session, generation, JSON.stringify(frame), nonce));
  };

  /** One after the other: what comes first should arrive first. Stops where the connection is gone. */
  const post = async (uid: Uid, peer: OnlinePeer, frames: readonly ServerFrame[]): Promise<Posted> => {
    const key = await keys.unwrap(peer.wrappedKey, peer.connectionId);
    let outcome: Posted = 'posted';
    for (const frame of frames) {
      const posted = await connections.post(peer.connectionId, sealed(key, peer.sessionId, peer.generation, frame));
      if (posted === 'gone') {
        if (await online.remove(uid, peer)) await toAccount(uid, offline(peer.peerId), { except: peer.peerId });
        return 'gone';
      }
      if (posted === 'failed') outcome = 'failed';
    }
    return outcome;
  };

  const offline = (peerId: PeerId): ServerFrame => ({
    type: 'presence',
    peer_id: peerId,
    online: false,
    last_seen_at: clock.now(),
  });

  const toPeers = async (
    uid: Uid,
    frames: readonly ServerFrame[],
    { except, stream }: DeliveryOptions,
  ): Promise<DeliveryCounts> => {
    const peers = (await online.list(uid)).filter(
      ({ peerId, expiresAt, subscriptions }) =>
        peerId !== except &&
        expiresAt > clock.now() &&
        (stream === undefined || subscriptions.has('*') || subscriptions.has(stream)),
    );
    const posted = await pMap(peers, (peer) => post(uid, peer, frames), { concurrency: PEERS_AT_ONCE });
    const count = (outcome: Posted) => posted.filter((one) => one === outcome).length;
    return { posted: count('posted'), gone: count('gone'), failed: count('failed') };
  };

  const toAccount: Delivery['toAccount'] = (uid, frame, options = {}) => toPeers(uid, [frame], options);

  return {
    toAccount,

    async toSession(session, frame) {
      const { connectionId, sessionId, s2cKey } = session;
      if (s2cKey !== undefined) {
        return connections.post(connectionId, sealed(s2cKey, sessionId, session.generation, frame));
      }
      const peer = await online.read(session.uid, session.peerId);
      // The peer has a newer connection, or none: nobody waits for this one's answers.
      return peer?.connectionId === connectionId ? post(session.uid, peer, [frame]) : 'gone';
    },

    async events(uid, { stream, epoch, events }, except) {
      const started = performance.now();
      const frames = events.map((event) => ({ type: 'event', stream, epoch, event }) as const);
      const counts = await toPeers(uid, frames, { except, stream });
      if (counts.posted > 0) {
        metrics.count('RelayEventsOut', {}, counts.posted * events.length);
        metrics.duration('RelayFanOutMs', performance.now() - started);
      }
      return counts;
    },

    async bye(uid, peerId, code, reason) {
      const peer = await online.read(uid, peerId);
      if (peer === undefined) return;
      await online.remove(uid, peer);
      const key = await keys.unwrap(peer.wrappedKey, peer.connectionId);
      const frame = { type: 'bye', code, reason } as const;
      await connections.post(peer.connectionId, sealed(key, peer.sessionId, peer.generation, frame));
      await connections.close(peer.connectionId);
    },
  };
}
