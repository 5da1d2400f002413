import { transactWrite } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number, text } from '../../platform/shapes.ts';
import type { PeerId } from '../names.ts';
import type { PeerStore } from '../peers/peer-store.ts';
import { SCHEMA } from '../peers/stored-peer.ts';
import { accountPartition, familyKey, familyPrefix, usedOnceKey } from '../table-keys.ts';
import { type RefreshToken, refreshTokenHash } from './refresh-token.ts';

const REFRESH_TOKEN_MS = 30 * 24 * 60 * 60 * 1000;

const storedFamily = fields({ token_hash: text, valid_until: number });

/** An assertion's mark, so that it opens one family only. */
export interface UsedAssertion {
  /** A hash of the `jti`, which may contain anything. */
  readonly jtiHash: string;
  /** Milliseconds since 1970: from then on the assertion is refused for its age. */
  readonly expiresAt: number;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** Families of refresh tokens, and which assertions were used. Both only while their peer is active. */
export function createTokenStore({ config, documents, randomness }: Needed, peers: PeerStore) {
  const TableName = config.tables.relay;

  const removeFamily = async (uid: Uid, { peerId, family }: Pick<RefreshToken, 'peerId' | 'family'>): Promise<void> => {
    await (await documents()).delete({ TableName, Key: familyKey(uid, peerId, family) });
  };

  return {
    removeFamily,

    /** Opens a family with its first token, using up the assertion. */
    async openFamily(
      uid: Uid,
      token: RefreshToken,
      { jtiHash, expiresAt }: UsedAssertion,
      now: number,
    ): Promise<'opened' | 'assertion_used' | 'peer_revoked'> {
      const validUntil = now + REFRESH_TOKEN_MS;
      const written = await transactWrite(documents, randomness, [
        peers.seenWhileActive(uid, token.peerId, now),
        {
          Put: {
            TableName,
            Item: {
              ...usedOnceKey(uid, token.peerId, 'jti', jtiHash),
              // TTL removes it late, never early: then the assertion has long expired.
              ...{ expires_at: ttlSeconds(expiresAt), schema: SCHEMA },
            },
            ConditionExpression: 'attribute_not_exists(#partition)',
            ExpressionAttributeNames: { '#partition': 'partition' },
          },
        },
        {
          Put: {
            TableName,
            Item: {
              ...familyKey(uid, token.peerId, token.family),
              ...{ peer_id: token.peerId, token_hash: refreshTokenHash(token), opened_at: now },
              ...{ valid_until: validUntil, expires_at: ttlSeconds(validUntil), schema: SCHEMA },
            },
          },
        },
      ]);
      if (written.committed) return 'opened';
      const [revoked] = written.reasons.map(({ code }) => code === 'ConditionalCheckFailed');
      return revoked === true ? 'peer_revoked' : 'assertion_used';
    },

    /**
     * Replaces a family's newest token with the next one. Any other token of the family has been used before, by
     * somebody who should not have it or by a client whose answer was lost: then nobody keeps the family.
     */
    async rotate(
      uid: Uid,
      given: RefreshToken,
      next: RefreshToken,
      now: number,
    ): Promise<'rotated' | 'unknown' | 'expired' | 'reused' | 'peer_revoked'> {
      const validUntil = now + REFRESH_TOKEN_MS;
      const written = await transactWrite(documents, randomness, [
        {
          Update: {
            TableName,
            Key: familyKey(uid, given.peerId, given.family),
            UpdateExpression: 'SET token_hash = :next, valid_until = :until, expires_at = :expires',
            ConditionExpression: 'token_hash = :given AND valid_until > :now',
            ExpressionAttributeValues: {
              ...{ ':given': refreshTokenHash(given), ':next': refreshTokenHash(next), ':now': now },
              ...{ ':until': validUntil, ':expires': ttlSeconds(validUntil) },
            },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
        peers.seenWhileActive(uid, given.peerId, now),
      ]);
      if (written.committed) return 'rotated';
      const [ofFamily] = written.reasons;
      const outcome = refusalOf(ofFamily?.code === 'ConditionalCheckFailed', ofFamily?.item, given);
      if (outcome !== 'unknown') await removeFamily(uid, given);
      return outcome;
    },

    /** Ends every family of a peer. A revoked peer's are dead already; this is so that nothing of them is left. */
    async removeFamilies(uid: Uid, peerId: PeerId): Promise<void> {
      const client = await documents();
      for (;;) {
        const { Items: items } = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
          ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
          ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': familyPrefix(peerId) },
          ProjectionExpression: '#partition, #record',
          ConsistentRead: true,
          Limit: 100,
        });
        if (items.length === 0) return;
        for (const { partition, record } of items) await client.delete({ TableName, Key: { partition, record } });
      }
    },
  };
}

export type TokenStore = ReturnType<typeof createTokenStore>;

function refusalOf(isFamilys: boolean, item: unknown, given: RefreshToken) {
  if (!isFamilys) return 'peer_revoked';
  if (item === undefined) return 'unknown';
  return storedFamily(item).token_hash === refreshTokenHash(given) ? 'expired' : 'reused';
}
