import { MAX_PEERS } from '@autowatering/relay-protocol';
import { type AliveCheck, type TransactItems, transactWrite, wasConditionMet } from '../../platform/aws/dynamo.ts';
import { ttlSeconds } from '../../platform/clock.ts';
import type { Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import { itemsOfAccount } from '../items-of-account.ts';
import type { PeerId } from '../names.ts';
import { accountKey, PEER_PREFIX, peerIndexKey, peerKey, peerNameKey, publicKeyKey } from '../table-keys.ts';
import { hasPeers } from './has-peers.ts';
import { nameKey, newPeerId, type Peer } from './peer.ts';
import { fromPeer, SCHEMA, toOwner, toPeer } from './stored-peer.ts';

/** Events live for a year at most: for that long a reader may look up their author. */
const REVOKED_LIFE_MS = 366 * 24 * 60 * 60 * 1000;

export type NewPeer = Pick<Peer, 'name' | 'type' | 'publicKey'>;

export type Registration =
  | { readonly outcome: 'registered' | 'known'; readonly peer: Peer }
  | { readonly outcome: 'key_in_use' | 'name_in_use' | 'too_many_peers' | 'account_deleted' };

export type Renaming =
  | { readonly outcome: 'renamed'; readonly peer: Peer; readonly isChanged: boolean }
  | { readonly outcome: 'not_found' }
  | { readonly outcome: 'name_in_use' };

export type Revocation =
  | { readonly outcome: 'revoked'; readonly peer: Peer; readonly isChanged: boolean }
  | { readonly outcome: 'not_found' };

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** The peers of all accounts. A peer of another account is as if it did not exist. */
export function createPeerStore({ config, documents, randomness }: Needed) {
  const TableName = config.tables.relay;
  const whileOvertaken = createWhileOvertaken(randomness);

  const get = async (Key: Record<string, string>): Promise<Record<string, unknown> | undefined> =>
    (await (await documents()).get({ TableName, Key, ConsistentRead: true })).Item;

  const read = async (uid: Uid, peerId: PeerId): Promise<Peer | undefined> => {
    const item = await get({ ...peerKey(uid, peerId) });
    return item === undefined ? undefined : toPeer(item);
  };

  /** The peer that has or had this key; undefined if none ever did. */
  const ownerOfKey = async (publicKey: string) => {
    const item = await get({ ...publicKeyKey(publicKey) });
    return item === undefined ? undefined : toOwner(item);
  };

  const reserveName = (uid: Uid, name: string, peerId: PeerId): TransactItems[number] => ({
    Put: {
      TableName,
      Item: { ...peerNameKey(uid, nameKey(name)), peer_id: peerId, schema: SCHEMA },
      ConditionExpression: 'attribute_not_exists(#partition)',
      ExpressionAttributeNames: { '#partition': 'partition' },
    },
  });
  const releaseName = (uid: Uid, name: string): TransactItems[number] => ({
    Delete: { TableName, Key: peerNameKey(uid, nameKey(name)) },
  });
  const countPeers = (uid: Uid, change: 1 | -1): TransactItems[number] => ({
    Update: {
      TableName,
      Key: accountKey(uid),
      UpdateExpression: 'SET #schema = :schema ADD active_peers :change',
      ...(change === 1 && { ConditionExpression: 'attribute_not_exists(active_peers) OR active_peers < :most' }),
      ExpressionAttributeNames: { '#schema': 'schema' },
      ExpressionAttributeValues: { ':schema': SCHEMA, ':change': change, ...(change === 1 && { ':most': MAX_PEERS }) },
    },
  });

  return {
    /** A strongly consistent read. */
    read,

    /** All peers of the account, revoked ones too, oldest first. */
    async list(uid: Uid): Promise<readonly Peer[]> {
      const peers: Peer[] = [];
      for await (const item of itemsOfAccount({ config, documents }, uid, { prefix: PEER_PREFIX })) {
        peers.push(toPeer(item));
      }
      return peers.sort((a, b) => a.createdAt - b.createdAt || (a.peerId < b.peerId ? -1 : 1));
    },

    /** Whether the account has active peers, as it was a moment ago. */
    async hasActive(uid: Uid): Promise<boolean> {
      const { Item: item } = await (await documents()).get({ TableName, Key: accountKey(uid) });
      return hasPeers(item);
    },

    /** The peer with this id and its account, in any account: for callers that prove that they hold its key. */
    async findById(peerId: PeerId): Promise<{ readonly uid: Uid; readonly peer: Peer } | undefined> {
      const item = await get({ ...peerIndexKey(peerId) });
      if (item === undefined) return undefined;
      const { uid } = toOwner(item);
      const peer = await read(uid, peerId);
      return peer === undefined ? undefined : { uid, peer };
    },

    /**
     * Adds a peer to the account. The same key again is the peer that it is already; a key that is another account's,
     * or was revoked, is refused.
     */
    async register(uid: Uid, wanted: NewPeer, isAlive: AliveCheck, now: number): Promise<Registration> {
      return whileOvertaken('the registration of a peer', async () => {
        const owner = await ownerOfKey(wanted.publicKey);
        if (owner !== undefined) {
          const known = owner.uid === uid ? await read(uid, owner.peerId) : undefined;
          return known?.status === 'active' ? { outcome: 'known', peer: known } : { outcome: 'key_in_use' };
        }
        const peerId = newPeerId(randomness);
        const peer: Peer = {
          ...{ ...wanted, peerId, status: 'active', createdAt: now },
          ...{ lastSeenAt: undefined, revokedAt: undefined, connectionId: undefined },
        };
        const index = { uid, peer_id: peerId, schema: SCHEMA };
        const written = await transactWrite(documents, randomness, [
          isAlive(uid),
          {
            Put: {
              TableName,
              Item: { ...publicKeyKey(peer.publicKey), ...index },
              ConditionExpression: 'attribute_not_exists(#partition)',
              ExpressionAttributeNames: { '#partition': 'partition' },
            },
          },
          reserveName(uid, peer.name, peerId),
          countPeers(uid, 1),
          { Put: { TableName, Item: { ...peerKey(uid, peerId), ...fromPeer(peer) } } },
          { Put: { TableName, Item: { ...peerIndexKey(peerId), ...index } } },
        ]);
        if (written.committed) return { outcome: 'registered', peer };
        const [deleted, sameKey, sameName, full] = written.reasons.map(({ code }) => code === 'ConditionalCheckFailed');
        if (deleted === true) return { outcome: 'account_deleted' };
        // The same request arrived twice: the next attempt finds the other's peer.
        if (sameKey === true) return OVERTAKEN;
        if (full === true) return { outcome: 'too_many_peers' };
        if (sameName === true) return { outcome: 'name_in_use' };
        throw new Error('a registration failed for a reason that it has not');
      });
    },

    async rename(uid: Uid, peerId: PeerId, name: string): Promise<Renaming> {
      return whileOvertaken('the renaming of a peer', async () => {
        const peer = await read(uid, peerId);
        if (peer?.status !== 'active') return { outcome: 'not_found' };
        if (peer.name === name) return { outcome: 'renamed', peer, isChanged: false };
        const keepsKey = nameKey(peer.name) === nameKey(name);
        const written = await transactWrite(documents, randomness, [
          {
            Update: {
              TableName,
              Key: peerKey(uid, peerId),
              UpdateExpression: 'SET #name = :name',
              ConditionExpression: '#name = :old AND #status = :active',
              ExpressionAttributeNames: { '#name': 'name', '#status': 'status' },
              ExpressionAttributeValues: { ':name': name, ':old': peer.name, ':active': 'active' },
            },
          },
          ...(keepsKey ? [] : [reserveName(uid, name, peerId), releaseName(uid, peer.name)]),
        ]);
        if (written.committed) return { outcome: 'renamed', peer: { ...peer, name }, isChanged: true };
        const [overtaken] = written.reasons.map(({ code }) => code === 'ConditionalCheckFailed');
        return overtaken === true ? OVERTAKEN : { outcome: 'name_in_use' };
      });
    },

    /**
     * Ends a peer for good, in one transaction with the account's count: from here on its publishes, tokens and
     * handshakes are refused. Its key is never accepted again in any account; what is stored expires.
     */
    async revoke(uid: Uid, peerId: PeerId, now: number): Promise<Revocation> {
      return whileOvertaken('the revocation of a peer', async () => {
        const peer = await read(uid, peerId);
        if (peer === undefined) return { outcome: 'not_found' };
        if (peer.status === 'revoked') return { outcome: 'revoked', peer, isChanged: false };
        const expires_at = ttlSeconds(now + REVOKED_LIFE_MS);
        const index = { uid, peer_id: peerId, expires_at, schema: SCHEMA };
        const written = await transactWrite(documents, randomness, [
          {
            Update: {
              TableName,
              Key: peerKey(uid, peerId),
              UpdateExpression: 'SET #status = :revoked, revoked_at = :now, expires_at = :expires',
              ConditionExpression: '#status = :active AND #name = :name',
              ExpressionAttributeNames: { '#status': 'status', '#name': 'name' },
              ExpressionAttributeValues: {
                ...{ ':revoked': 'revoked', ':active': 'active', ':now': now },
                ...{ ':expires': expires_at, ':name': peer.name },
              },
            },
          },
          countPeers(uid, -1),
          releaseName(uid, peer.name),
          { Put: { TableName, Item: { ...peerIndexKey(peerId), ...index } } },
          { Put: { TableName, Item: { ...publicKeyKey(peer.publicKey), ...index } } },
        ]);
        if (!written.committed) return OVERTAKEN;
        return { outcome: 'revoked', peer: { ...peer, status: 'revoked', revokedAt: now }, isChanged: true };
      });
    },

    /** Notes that a peer was there; nothing for one that does not exist any more. */
    async touch(uid: Uid, peerId: PeerId, now: number): Promise<void> {
      const client = await documents();
      await wasConditionMet(() =>
        client.update({
          TableName,
          Key: peerKey(uid, peerId),
          UpdateExpression: 'SET last_seen_at = :now',
          ConditionExpression: 'attribute_exists(#partition)',
          ExpressionAttributeNames: { '#partition': 'partition' },
          ExpressionAttributeValues: { ':now': now },
        }),
      );
    },

    /** For another transaction: commits only while the peer is active, and notes that it was there. */
    seenWhileActive: (uid: Uid, peerId: PeerId, now: number): TransactItems[number] => ({
      Update: {
        TableName,
        Key: peerKey(uid, peerId),
        UpdateExpression: 'SET last_seen_at = :now',
        ConditionExpression: '#status = :active',
        ExpressionAttributeNames: { '#status': 'status' },
        ExpressionAttributeValues: { ':now': now, ':active': 'active' },
      },
    }),
  };
}

export type PeerStore = ReturnType<typeof createPeerStore>;
