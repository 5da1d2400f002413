import pMap from 'p-map';
import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { accountPartition, peerIndexKey, publicKeyKey, type TableKey } from '../table-keys.ts';
import type { Peer } from './peer.ts';

const PAGE = 500;
const AT_ONCE = 25;

/** Removes what is kept for an account besides its logs. Every step can be repeated. */
export function createAccountItems({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const TableName = config.tables.relay;

  /** Another account may have the key by now, if this removal was begun before and did not finish. */
  const removeOwn = async (uid: Uid, Key: TableKey): Promise<void> => {
    const client = await documents();
    await wasConditionMet(() =>
      client.delete({
        TableName,
        Key,
        ConditionExpression: 'uid = :uid',
        ExpressionAttributeValues: { ':uid': uid },
      }),
    );
  };

  return {
    /** Index items that find a peer without its account. Removed before the peer's own item, which names them. */
    async removeIndex(uid: Uid, { peerId, publicKey }: Pick<Peer, 'peerId' | 'publicKey'>): Promise<void> {
      await removeOwn(uid, publicKeyKey(publicKey));
      await removeOwn(uid, peerIndexKey(peerId));
    },

    /** Everything in the account's own partition. */
    async removeAll(uid: Uid): Promise<void> {
      const client = await documents();
      for (;;) {
        const { Items: items } = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :account',
          ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
          ExpressionAttributeValues: { ':account': accountPartition(uid) },
          ProjectionExpression: '#partition, #record',
          ConsistentRead: true,
          Limit: PAGE,
        });
        if (items.length === 0) return;
        await pMap(items, ({ partition, record }) => client.delete({ TableName, Key: { partition, record } }), {
          concurrency: AT_ONCE,
        });
      }
    },
  };
}

export type AccountItems = ReturnType<typeof createAccountItems>;
