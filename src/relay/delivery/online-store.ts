import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { bytes, fields, number, optional, setOf, text, textThat } from '../../platform/shapes.ts';
import { type ConnectionId, isConnectionId, isPeerId, isStreamName, type PeerId, type StreamName } from '../names.ts';
import { accountPartition, ONLINE_PREFIX, onlineKey } from '../table-keys.ts';

/** A peer that is connected, with what is needed to post to it. */
export interface OnlinePeer {
  readonly peerId: PeerId;
  readonly connectionId: ConnectionId;
  /** Base64url of 16 bytes. */
  readonly sessionId: string;
  /** Of the newest keys. */
  readonly generation: number;
  /** The newest key for frames to the peer, wrapped for this connection. */
  readonly wrappedKey: Buffer;
  /** Milliseconds since 1970; as all times here. */
  readonly establishedAt: number;
  /** When the gateway ends the connection at the latest. */
  readonly endsAt: number;
  readonly subscriptions: ReadonlySet<Subscription>;
}

/** A stream, or all of the account, those to come included. */
export type Subscription = StreamName | '*';

const peerIdText = textThat(isPeerId, 'the id of a peer');
const storedOnline = fields({
  record: text,
  connection_id: textThat(isConnectionId, 'the id of a connection'),
  session_id: text,
  generation: number,
  s2c_key: bytes,
  established_at: number,
  connection_ends_at: number,
  subscriptions: optional(setOf(textThat(isSubscription, 'the name of a stream or *'))),
});

function isSubscription(name: string): name is Subscription {
  return name === '*' || isStreamName(name);
}

type Needed = Pick<Services, 'config' | 'documents'>;

/** Who is connected: one item per peer, that of its newest connection. */
export function createOnlineStore({ config, documents }: Needed) {
  const TableName = config.tables.relay;

  return {
    /** The account's connected peers. Eventually consistent: one that came a moment ago may be missing. */
    async list(uid: Uid): Promise<readonly OnlinePeer[]> {
      // At most 20 peers, with at most 100 subscriptions of 64 characters each: always one page.
      const { Items: items } = await (await documents()).query({
        TableName,
        KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': ONLINE_PREFIX },
      });
      return items.map(toOnline);
    },

    /** A strongly consistent read. */
    async read(uid: Uid, peerId: PeerId): Promise<OnlinePeer | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: onlineKey(uid, peerId),
        ConsistentRead: true,
      });
      return item === undefined ? undefined : toOnline(item);
    },

    /** Adds to the subscriptions; false if the peer is not connected by this connection any more. */
    subscribe: (
      uid: Uid,
      { peerId, connectionId }: Pick<OnlinePeer, 'peerId' | 'connectionId'>,
      subscriptions: ReadonlySet<Subscription>,
    ): Promise<boolean> =>
      wasConditionMet(async () =>
        (await documents()).update({
          TableName,
          Key: onlineKey(uid, peerId),
          UpdateExpression: 'ADD subscriptions :more',
          ConditionExpression: 'connection_id = :connection',
          ExpressionAttributeValues: { ':more': new Set(subscriptions), ':connection': connectionId },
        }),
      ),
  };
}

export type OnlineStore = ReturnType<typeof createOnlineStore>;

function toOnline(item: Record<string, unknown>): OnlinePeer {
  const stored = storedOnline(item);
  return {
    peerId: peerIdText(stored.record.slice(ONLINE_PREFIX.length)),
    connectionId: stored.connection_id,
    sessionId: stored.session_id,
    generation: stored.generation,
    wrappedKey: Buffer.from(stored.s2c_key),
    establishedAt: stored.established_at,
    endsAt: stored.connection_ends_at,
    subscriptions: stored.subscriptions ?? new Set(),
  };
}
