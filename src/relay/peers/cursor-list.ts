import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number, text, textThat } from '../../platform/shapes.ts';
import { itemsOfAccount } from '../items-of-account.ts';
import { type Epoch, isEpoch, isPeerId, isStreamName, type PeerId, type StreamName } from '../names.ts';
import { CURSOR_PREFIX } from '../table-keys.ts';

/** How far a peer has read a stream. */
export interface Cursor {
  readonly peerId: PeerId;
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly seq: number;
}

const storedCursor = fields({ record: text, epoch: textThat(isEpoch, 'an epoch'), seq: number });

/** Lists how far the peers of an account have read. Eventually consistent. */
export function createCursorList(services: Pick<Services, 'config' | 'documents'>) {
  return async (uid: Uid): Promise<readonly Cursor[]> => {
    const cursors: Cursor[] = [];
    for await (const item of itemsOfAccount(services, uid, { prefix: CURSOR_PREFIX, mayBeStale: true })) {
      cursors.push(...toCursor(item));
    }
    return cursors;
  };
}

export type ListCursors = ReturnType<typeof createCursorList>;

function toCursor(item: unknown): readonly Cursor[] {
  const { record, epoch, seq } = storedCursor(item);
  const [peerId = '', stream = ''] = record.slice(CURSOR_PREFIX.length).split('#');
  return isPeerId(peerId) && isStreamName(stream) ? [{ peerId, stream, epoch, seq }] : [];
}
