import { paginateScan } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import type { TablePlace } from '../../cli/target/place.ts';

const Peer = z.object({
  partition: z.string(),
  peer_id: z.string(),
  peer_type: z.string(),
  created_at: z.number(),
  last_seen_at: z.number().optional(),
});

/** A peer that may be one of a phone long gone, but still has a key to the account. */
export interface UnusedPeer {
  readonly uid: string;
  readonly peerId: string;
  readonly peerType: string;
  /** A day like `2026-11-21`: when it was last connected, or registered. */
  readonly lastUsedOn: string;
}

/**
 * Finds the active peers that were not used since a moment, longest unused first. Whether to revoke them is up to their
 * owners.
 *
 * @param before milliseconds since 1970
 */
export async function unusedPeers(place: TablePlace, before: number): Promise<readonly UnusedPeer[]> {
  const found: UnusedPeer[] = [];
  const pages = paginateScan(
    { client: place.dynamo },
    {
      TableName: place.tableName('relay'),
      FilterExpression:
        'begins_with(#record, :peer) AND #status = :active AND created_at < :before AND ' +
        '(attribute_not_exists(last_seen_at) OR last_seen_at < :before)',
      ExpressionAttributeNames: { '#record': 'record', '#status': 'status' },
      ExpressionAttributeValues: marshall({ ':peer': 'peer#', ':active': 'active', ':before': before }),
    },
  );
  for await (const { Items: items = [] } of pages) {
    for (const item of items) {
      const peer = Peer.parse(unmarshall(item));
      found.push({
        uid: decodeURIComponent(peer.partition),
        peerId: peer.peer_id,
        peerType: peer.peer_type,
        lastUsedOn: new Date(peer.last_seen_at ?? peer.created_at).toISOString().slice(0, 10),
      });
    }
  }
  return found.sort((a, b) => (a.lastUsedOn < b.lastUsedOn ? -1 : 1));
}
