import { CONNECTS_PER_SECOND, MAX_CONNECTION_MS, OLD_GENERATION_MS } from '@autowatering/relay-protocol';
import { transactWrite, wasConditionMet } from '../../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../../platform/clock.ts';
import type { Uid } from '../../../platform/ids.ts';
import type { Services } from '../../../platform/services.ts';
import type { ConnectionId, PeerId } from '../../names.ts';
import { connectionKey, connectsKey, onlineKey, peerKey } from '../../table-keys.ts';
import type { EstablishedConnection, GreetedConnection } from './connection-record.ts';
import { SESSION_RECORD_MS } from './connection-store.ts';

/** Keys as they are stored: all of them for the connection, and the one for sending where senders look. */
export interface WrappedGeneration {
  readonly keys: Uint8Array;
  readonly s2c: Uint8Array;
}

export type EstablishOutcome =
  | 'established'
  /** The connection is not in the middle of this handshake any more. */
  | 'out_of_turn'
  /** A connection of the peer that was opened later has its session already. */
  | 'newer_connected'
  /** The peer is gone, or another connection of it was established in between. */
  | 'peer_changed';

/** Longer than any connection's record, which is found by these items only. */
const CONNECTS_MS = 4 * 60 * 60_000;
/** Of the items about who is online. */
const SCHEMA = 1;

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** Sessions: where a connection meets its peer's own items, so that a peer has one connection, and only while active. */
export function createSessionStore({ config, documents, randomness }: Needed) {
  const TableName = config.tables.relay;

  return {
    /** Whether the account may connect once more in this second; if so, its connection can be found by the account. */
    async mayConnect(uid: Uid, connectionId: ConnectionId, now: number): Promise<boolean> {
      const client = await documents();
      return wasConditionMet(() =>
        client.update({
          TableName,
          Key: connectsKey(uid, secondOf(now)),
          UpdateExpression: 'SET expires_at = :expires ADD connects :one, connection_ids :id',
          ConditionExpression: 'attribute_not_exists(connects) OR connects < :most',
          ExpressionAttributeValues: {
            ':expires': ttlSeconds(now + CONNECTS_MS),
            ':one': 1,
            ':id': new Set([connectionId]),
            ':most': CONNECTS_PER_SECOND,
          },
        }),
      );
    },

    /** Forgets who connected in that second. */
    async forgetConnects(uid: Uid, now: number): Promise<void> {
      await (await documents()).delete({ TableName, Key: connectsKey(uid, secondOf(now)) });
    },

    /**
     * Makes the connection the peer's only one.
     *
     * @param before the connection that the peer's item names
     */
    async establish(
      { connectionId, uid, peerId, sessionId, openedAt }: GreetedConnection,
      before: ConnectionId | undefined,
      wrapped: WrappedGeneration,
      now: number,
    ): Promise<EstablishOutcome> {
      const endsAt = openedAt + MAX_CONNECTION_MS;
      const outcome = await transactWrite(documents, randomness, [
        {
          Update: {
            TableName,
            Key: connectionKey(connectionId),
            UpdateExpression:
              'SET #state = :established, generation = :zero, #keys = :keys, established_at = :now, rekeyed_at = :now, ' +
              'expires_at = :expires REMOVE greeted_at',
            ConditionExpression: '#state = :greeted AND session_id = :session',
            ExpressionAttributeNames: { '#state': 'state', '#keys': 'keys' },
            ExpressionAttributeValues: {
              ':greeted': 'greeted',
              ':established': 'established',
              ':session': sessionId,
              ':zero': 0,
              ':keys': wrapped.keys,
              ':now': now,
              ':expires': ttlSeconds(now + SESSION_RECORD_MS),
            },
          },
        },
        {
          Update: {
            TableName,
            Key: peerKey(uid, peerId),
            UpdateExpression: 'SET connection_id = :connection, last_seen_at = :now',
            ConditionExpression: `#status = :active AND ${
              before === undefined ? 'attribute_not_exists(connection_id)' : 'connection_id = :before'
            }`,
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: {
              ':active': 'active',
              ':connection': connectionId,
              ':now': now,
              ...(before === undefined ? {} : { ':before': before }),
            },
          },
        },
        {
          Put: {
            TableName,
            Item: {
              ...onlineKey(uid, peerId),
              peer_id: peerId,
              connection_id: connectionId,
              session_id: sessionId,
              generation: 0,
              s2c_key: wrapped.s2c,
              established_at: now,
              connection_ends_at: endsAt,
              expires_at: ttlSeconds(endsAt),
              schema: SCHEMA,
            },
            // A late frame of an older connection must not end the session of the one that came after it.
            ConditionExpression: 'attribute_not_exists(connection_ends_at) OR connection_ends_at <= :ends',
            ExpressionAttributeValues: { ':ends': endsAt },
          },
        },
      ]);
      if (outcome.committed) return 'established';
      const [ofConnection, , ofOnline] = outcome.reasons.map(({ code }) => code === 'ConditionalCheckFailed');
      if (ofConnection === true) return 'out_of_turn';
      return ofOnline === true ? 'newer_connected' : 'peer_changed';
    },

    /** Begins the next generation; false if another one has begun meanwhile, or the session has ended. */
    async rekey(
      { connectionId, uid, peerId, generation, keys: previous }: EstablishedConnection,
      next: WrappedGeneration & { readonly th: Uint8Array },
      now: number,
    ): Promise<boolean> {
      const outcome = await transactWrite(documents, randomness, [
        {
          Update: {
            TableName,
            Key: connectionKey(connectionId),
            UpdateExpression:
              'SET generation = :next, #keys = :keys, th = :th, rekeyed_at = :now, ' +
              'previous_keys = :previous, previous_until = :until',
            ConditionExpression: '#state = :established AND generation = :generation',
            ExpressionAttributeNames: { '#state': 'state', '#keys': 'keys' },
            ExpressionAttributeValues: {
              ':established': 'established',
              ':generation': generation,
              ':next': generation + 1,
              ':keys': next.keys,
              ':th': next.th,
              ':now': now,
              ':previous': previous,
              ':until': now + OLD_GENERATION_MS,
            },
          },
        },
        {
          Update: {
            TableName,
            Key: onlineKey(uid, peerId),
            UpdateExpression: 'SET generation = :next, s2c_key = :key',
            ConditionExpression: 'connection_id = :connection',
            ExpressionAttributeValues: {
              ':next': generation + 1,
              ':key': next.s2c,
              ':connection': connectionId,
            },
          },
        },
      ]);
      return outcome.committed;
    },

    /** Notes that the peer is not connected any more; false if another connection of it has taken over. */
    async leave(uid: Uid, peerId: PeerId, connectionId: ConnectionId, now: number): Promise<boolean> {
      const client = await documents();
      const ExpressionAttributeValues = { ':connection': connectionId };
      const ConditionExpression = 'connection_id = :connection';
      const [wasOnline] = await Promise.all([
        wasConditionMet(() =>
          client.delete({
            TableName,
            Key: onlineKey(uid, peerId),
            ConditionExpression,
            ExpressionAttributeValues,
          }),
        ),
        wasConditionMet(() =>
          client.update({
            TableName,
            Key: peerKey(uid, peerId),
            UpdateExpression: 'SET last_seen_at = :now REMOVE connection_id',
            ConditionExpression,
            ExpressionAttributeValues: { ...ExpressionAttributeValues, ':now': now },
          }),
        ),
      ]);
      return wasOnline;
    },
  };
}

export type SessionStore = ReturnType<typeof createSessionStore>;

const secondOf = (now: number): number => Math.floor(now / 1000);
