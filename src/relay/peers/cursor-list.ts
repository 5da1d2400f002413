import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number, text, textThat } from '../../platform/shapes.ts';
import { type Epoch, isEpoch, isPeerId, isStreamName, type PeerId, type StreamName } from '../names.ts';
import { accountPartition, CURSOR_PREFIX } from '../table-keys.ts';

/** How far a peer has read a stream. */
export interface Cursor {
  readonly peerId: PeerId;
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly seq: number;
}

const storedCursor = fields({ record: text, epoch: textThat(isEpoch, 'an epoch'), seq: number });

/** Lists how far the peers of an account have read. Eventually consistent. */
export function createCursorList({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  return async (uid: Uid): Promise<readonly Cursor[]> => {
    const client = await documents();
    const cursors: Cursor[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await client.query({
        TableName: config.tables.relay,
        KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': CURSOR_PREFIX },
        ...(from !== undefined && { ExclusiveStartKey: from }),
      });
      cursors.push(...(page.Items ?? []).flatMap(toCursor));
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return cursors;
  };
}

export type ListCursors = ReturnType<typeof createCursorList>;

function toCursor(item: unknown): readonly Cursor[] {
  const { record, epoch, seq } = storedCursor(item);
  const [peerId = '', stream = ''] = record.slice(CURSOR_PREFIX.length).split('#');
  return isPeerId(peerId) && isStreamName(stream) ? [{ peerId, stream, epoch, seq }] : [];
}
