import { PEER_TYPES, type PeerView } from '@autowatering/relay-protocol';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number, oneOf, optional, text, textThat } from '../../platform/shapes.ts';
import { isPeerId } from '../names.ts';
import { accountPartition, PEER_PREFIX } from '../table-keys.ts';
import { createOnlineStore } from './online-store.ts';

const storedPeer = fields({
  peer_id: textThat(isPeerId, 'the id of a peer'),
  name: text,
  peer_type: oneOf(PEER_TYPES),
  status: oneOf(['active', 'revoked']),
  last_seen_at: optional(number),
});

/** The account's active peers as they see each other. Eventually consistent. */
export function createPeerViews(services: Pick<Services, 'config' | 'documents' | 'clock'>) {
  const { config, documents, clock } = services;
  const online = createOnlineStore(services);

  return async (uid: Uid): Promise<readonly PeerView[]> => {
    const client = await documents();
    const [{ Items: items }, connected] = await Promise.all([
      client.query({
        TableName: config.tables.relay,
        KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': PEER_PREFIX },
      }),
      online.list(uid),
    ]);
    const present = new Set(connected.filter(({ endsAt }) => endsAt > clock.now()).map(({ peerId }) => peerId));
    return items
      .map((item) => storedPeer(item))
      .filter(({ status }) => status === 'active')
      .map(({ peer_id, name, peer_type, last_seen_at = null }) => ({
        ...{ peer_id, name, type: peer_type },
        online: present.has(peer_id),
        last_seen_at,
      }));
  };
}
