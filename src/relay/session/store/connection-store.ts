import { MAX_FAULTS } from '@autowatering/relay-protocol';
import { ifConditionMet, transactWrite } from '../../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../../platform/clock.ts';
import type { Uid } from '../../../platform/ids.ts';
import type { Services } from '../../../platform/services.ts';
import type { ConnectionId, PeerId } from '../../names.ts';
import { connectionKey, usedOnceKey } from '../../table-keys.ts';
import { type ConnectionRecord, readConnection } from './connection-record.ts';

/** The gateway closes a silent connection after ten minutes. */
const UNPROVEN_MS = 15 * 60_000;
/** Longer than a connection can last, so that a record is there as long as its connection. */
export const SESSION_RECORD_MS = 3 * 60 * 60_000;
/** Longer than the time within which a `client_hello` is accepted. */
const NONCE_MS = 60 * 60_000;

export interface NewConnection {
  readonly connectionId: ConnectionId;
  readonly uid: Uid;
  readonly tokenPeerId: PeerId | undefined;
}

export interface Greeting {
  readonly peerId: PeerId;
  readonly clientNonce: string;
  readonly sessionId: string;
  readonly th: Uint8Array;
  readonly wrappedKeys: Uint8Array;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/**
 * Connections, by API Gateway's id. Frames of one connection may be handled by several containers at once, so every step
 * is a write on the condition that the connection is still where the step begins.
 */
export function createConnectionStore({ config, documents, randomness }: Needed) {
  const TableName = config.tables.relay;

  return {
    async open({ connectionId, uid, tokenPeerId }: NewConnection, now: number): Promise<void> {
      await (await documents()).put({
        TableName,
        Item: {
          ...connectionKey(connectionId),
          connection_id: connectionId,
          state: 'connected',
          uid,
          token_peer_id: tokenPeerId,
          opened_at: now,
          expires_at: ttlSeconds(now + UNPROVEN_MS),
        },
      });
    },

    /** Strongly consistent. Undefined for a connection that is not known or has outlived its record. */
    async read(connectionId: ConnectionId, now: number): Promise<ConnectionRecord | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName,
        Key: connectionKey(connectionId),
        ConsistentRead: true,
      });
      const record = item && readConnection(item);
      return record !== undefined && record.expiresAt > now ? record : undefined;
    },

    /** Uses up the nonce and keeps the handshake, both or none. */
    async greet(
      { connectionId, uid }: ConnectionRecord,
      greeting: Greeting,
      now: number,
    ): Promise<'greeted' | 'nonce_reused' | 'out_of_turn'> {
      const outcome = await transactWrite(documents, randomness, [
        {
          Put: {
            TableName,
            Item: {
              ...usedOnceKey(uid, greeting.peerId, 'nonce', greeting.clientNonce),
              expires_at: ttlSeconds(now + NONCE_MS),
            },
            ConditionExpression: 'attribute_not_exists(#partition)',
            ExpressionAttributeNames: { '#partition': 'partition' },
          },
        },
        {
          Update: {
            TableName,
            Key: connectionKey(connectionId),
            UpdateExpression:
              'SET #state = :greeted, session_id = :session, peer_id = :peer, th = :th, #keys = :keys, greeted_at = :now',
            ConditionExpression: '#state = :connected',
            ExpressionAttributeNames: { '#state': 'state', '#keys': 'keys' },
            ExpressionAttributeValues: {
              ':connected': 'connected',
              ':greeted': 'greeted',
              ':session': greeting.sessionId,
              ':peer': greeting.peerId,
              ':th': greeting.th,
              ':keys': greeting.wrappedKeys,
              ':now': now,
            },
          },
        },
      ]);
      if (outcome.committed) return 'greeted';
      return outcome.reasons[0]?.code === 'ConditionalCheckFailed' ? 'nonce_reused' : 'out_of_turn';
    },

    /** Counts a frame that could not be read. Returns how many there were, or undefined if there is no session. */
    async addFault(connectionId: ConnectionId): Promise<number | undefined> {
      return ifConditionMet(async () => {
        const { Attributes: counted } = await (await documents()).update({
          TableName,
          Key: connectionKey(connectionId),
          UpdateExpression: 'ADD faults :one',
          ConditionExpression: '#state = :established',
          ExpressionAttributeNames: { '#state': 'state' },
          ExpressionAttributeValues: { ':one': 1, ':established': 'established' },
          ReturnValues: 'UPDATED_NEW',
        });
        return Number(counted?.['faults'] ?? MAX_FAULTS);
      });
    },

    /** Ends the session and forgets its keys. Returns what the connection was; undefined if it had ended before. */
    async close(connectionId: ConnectionId): Promise<ConnectionRecord | undefined> {
      return ifConditionMet(async () => {
        const { Attributes: before } = await (await documents()).update({
          TableName,
          Key: connectionKey(connectionId),
          UpdateExpression: 'SET #state = :closed REMOVE #keys, previous_keys, th',
          ConditionExpression: 'attribute_exists(#state) AND #state <> :closed',
          ExpressionAttributeNames: { '#state': 'state', '#keys': 'keys' },
          ExpressionAttributeValues: { ':closed': 'closed' },
          ReturnValues: 'ALL_OLD',
        });
        return before && readConnection(before);
      });
    },

    /** Forgets the connection. Returns what it was. */
    async remove(connectionId: ConnectionId): Promise<ConnectionRecord | undefined> {
      const { Attributes: before } = await (await documents()).delete({
        TableName,
        Key: connectionKey(connectionId),
        ReturnValues: 'ALL_OLD',
      });
      return before && readConnection(before);
    },
  };
}

export type ConnectionStore = ReturnType<typeof createConnectionStore>;
