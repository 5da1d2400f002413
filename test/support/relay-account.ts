import { randomBytes, randomUUID } from 'node:crypto';
import type { NewEvent, PeerFrame, ServerFrame } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { isUid, type Uid } from '../../src/platform/ids.ts';
import type { Services } from '../../src/platform/services.ts';
import type { Connections } from '../../src/relay/delivery/connections.ts';
import { createDelivery } from '../../src/relay/delivery/deliver.ts';
import { createSessionFrames } from '../../src/relay/log/session-frames.ts';
import {
  type ConnectionId,
  isConnectionId,
  isPeerId,
  isStreamName,
  type PeerId,
  type StreamName,
} from '../../src/relay/names.ts';
import { open } from '../../src/relay/session/keys/sealing.ts';
import { createKeyWrap } from '../../src/relay/session/keys/wrapped-keys.ts';
import type { Session } from '../../src/relay/session/session.ts';
import { connectionKey, onlineKey, peerKey } from '../../src/relay/table-keys.ts';
import { checkDocumented } from './relay-document.ts';

/** An established session of a peer, with what it has received. */
export interface TestPeer {
  readonly uid: Uid;
  readonly peerId: PeerId;
  readonly session: Session;
  readonly received: ServerFrame[];
  /** Sends a frame and returns what came back since, in order. */
  say(frame: Exclude<PeerFrame, { type: 'rekey' }>): Promise<readonly ServerFrame[]>;
  /** Publishes and returns the answer. */
  publish(stream: string, clientSeq: number, events: readonly NewEvent[], ifSeq?: number): Promise<ServerFrame>;
  /** The live events so far. */
  live(): readonly Extract<ServerFrame, { type: 'event' }>[];
}

/** Connections that keep what is posted; each of them can be gone, or fail. */
export function recordingConnections() {
  const posted = new Map<string, string[]>();
  const outcomes = new Map<string, 'gone' | 'failed'>();
  const closed: string[] = [];
  const connections: Connections = {
    check: checkDocumented,
    async post(connection, message) {
      const outcome = outcomes.get(connection);
      if (outcome !== undefined) return outcome;
      posted.set(connection, [...(posted.get(connection) ?? []), message]);
      return 'posted';
    },
    async close(connection) {
      closed.push(connection);
    },
  };
  return { connections, posted, outcomes, closed };
}

export const uidOf = (text: string): Uid => z.string().refine(isUid).parse(text);
export const streamOf = (text: string): StreamName => z.string().refine(isStreamName).parse(text);
const peerIdOf = (text: string): PeerId => z.string().refine(isPeerId).parse(text);
const connectionOf = (text: string): ConnectionId => z.string().refine(isConnectionId).parse(text);

/** The log and delivery of the relay, with peers whose sessions are established already. */
export function relayOf(services: Services) {
  const recording = recordingConnections();
  const { connections, posted } = recording;
  const delivery = createDelivery(services, connections);
  const serve = createSessionFrames(services, delivery);
  const wrap = createKeyWrap(services);
  const TableName = services.config.tables.relay;
  let nextId = 1;

  const put = async (item: Record<string, unknown>) => {
    await (await services.documents()).put({ TableName, Item: item });
  };

  /** A new connection of a peer, established. */
  const connect = async (uid: Uid, peerId: PeerId): Promise<TestPeer> => {
    const [connectionId, key, sessionId] = [connectionOf(randomUUID()), randomBytes(32), randomBytes(16)];
    const now = services.clock.now();
    await (await services.documents()).update({
      TableName,
      Key: peerKey(uid, peerId),
      UpdateExpression: 'SET connection_id = :connection',
      ExpressionAttributeValues: { ':connection': connectionId },
    });
    await put({
      ...onlineKey(uid, peerId),
      connection_id: connectionId,
      session_id: sessionId.toString('base64url'),
      generation: 0,
      s2c_key: await wrap.wrap(key, connectionId),
      established_at: now,
      connection_ends_at: now + 7_200_000,
      expires_at: Math.ceil((now + 7_200_000) / 1000),
    });
    const session: Session = {
      ...{ connectionId, uid, peerId, sessionId: sessionId.toString('base64url'), generation: 0 },
      ...{ establishedAt: now, rekeyedAt: now, s2c: key },
    };
    const received = (): ServerFrame[] =>
      (posted.get(connectionId) ?? []).map((message) => {
        const text = open(key, 's2c', sessionId, JSON.parse(message));
        if (text === undefined) throw new Error('A frame to a peer could not be opened');
        return JSON.parse(text);
      });
    return {
      ...{ uid, peerId, session },
      get received() {
        return received();
      },
      async say(frame) {
        const before = received().length;
        await serve(session, frame);
        return received().slice(before);
      },
      async publish(stream, client_seq, events, ifSeq) {
        const id = nextId++;
        await serve(session, {
          ...{ type: 'publish', id, stream, client_seq, events },
          ...(ifSeq !== undefined && { if_seq: ifSeq }),
        });
        const answer = received().findLast((frame) => 'id' in frame && frame.id === id) ?? received().at(-1);
        if (answer === undefined) throw new Error('A publish was not answered');
        return answer;
      },
      live: () => received().filter((frame) => frame.type === 'event'),
    };
  };

  return {
    ...recording,
    delivery,
    connect,
    /** A new peer of the account, connected. */
    async peer(uid: Uid, id: string = randomUUID()): Promise<TestPeer> {
      const peerId = peerIdOf(id);
      const now = services.clock.now();
      await put({
        ...peerKey(uid, peerId),
        ...{ peer_id: peerId, name: `Phone ${id.slice(0, 8)}`, peer_type: 'phone', public_key: 'unused' },
        ...{ status: 'active', created_at: now },
      });
      return connect(uid, peerId);
    },
    /** Keeps the connection's own record too, as the handshake does. */
    async storeConnection({ connectionId, sessionId, uid, peerId, generation, ...times }: Session): Promise<void> {
      await put({
        ...connectionKey(connectionId),
        ...{ connection_id: connectionId, state: 'established', uid, peer_id: peerId, opened_at: times.establishedAt },
        ...{ session_id: sessionId, th: randomBytes(32), keys: randomBytes(32), generation },
        ...{ established_at: times.establishedAt, rekeyed_at: times.rekeyedAt },
        expires_at: Math.ceil((times.establishedAt + 7_200_000) / 1000),
      });
    },
    async revoke(uid: Uid, peerId: PeerId): Promise<void> {
      await (await services.documents()).update({
        TableName,
        Key: peerKey(uid, peerId),
        UpdateExpression: 'SET #status = :revoked',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':revoked': 'revoked' },
      });
    },
    /** An event as a client makes it. */
    event: (more: Partial<NewEvent> = {}): NewEvent => ({
      ...{ event_id: randomUUID(), type: 'zone.changed', payload: { minutes: 10 }, sent_at: services.clock.now() },
      ...more,
    }),
    newAccount: () => uidOf(randomUUID()),
  };
}
