import * as z from 'zod';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { type ConnectionId, isConnectionId, isPeerId, isStreamName, type PeerId, type StreamName } from '../names.ts';
import { accountPartition, CURSOR_PREFIX, ONLINE_PREFIX } from '../table-keys.ts';

/** A peer's session, as operators see it. */
export interface OnlinePeer {
  readonly peerId: PeerId;
  readonly connectionId: ConnectionId;
  readonly sessionId: string;
  /** Milliseconds since 1970. */
  readonly establishedAt: number;
}

/** How far a peer has read a stream. */
export interface Cursor {
  readonly peerId: PeerId;
  readonly stream: StreamName;
  readonly epoch: string;
  readonly seq: number;
}

const StoredOnline = z.object({
  record: z.string(),
  connection_id: z.string().refine(isConnectionId),
  session_id: z.string(),
  established_at: z.number(),
  /** Seconds since 1970. */
  expires_at: z.number(),
});
const StoredCursor = z.object({ record: z.string(), epoch: z.string(), seq: z.number() });

/** Who of an account is online, and what everybody has read: written by sessions, read here. */
export function createPresenceStore({ config, documents, clock }: Pick<Services, 'config' | 'documents' | 'clock'>) {
  const items = async (uid: Uid, prefix: string): Promise<readonly unknown[]> => {
    const client = await documents();
    const found: unknown[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await client.query({
        TableName: config.tables.relay,
        KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': prefix },
        ...(from !== undefined && { ExclusiveStartKey: from }),
      });
      found.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return found;
  };

  return {
    async online(uid: Uid): Promise<readonly OnlinePeer[]> {
      const now = clock.now();
      return (await items(uid, ONLINE_PREFIX)).flatMap((item) => {
        const stored = StoredOnline.parse(item);
        const peerId = stored.record.slice(ONLINE_PREFIX.length);
        // A connection's end may never have been told; its time is up all the same.
        if (!isPeerId(peerId) || stored.expires_at * 1000 <= now) return [];
        const { connection_id: connectionId, session_id: sessionId, established_at: establishedAt } = stored;
        return [{ peerId, connectionId, sessionId, establishedAt }];
      });
    },

    async cursors(uid: Uid): Promise<readonly Cursor[]> {
      return (await items(uid, CURSOR_PREFIX)).flatMap((item) => {
        const { record, epoch, seq } = StoredCursor.parse(item);
        const [peerId = '', stream = ''] = record.slice(CURSOR_PREFIX.length).split('#');
        return isPeerId(peerId) && isStreamName(stream) ? [{ peerId, stream, epoch, seq }] : [];
      });
    },
  };
}

export type PresenceStore = ReturnType<typeof createPresenceStore>;
