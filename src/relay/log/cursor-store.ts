import { wasConditionMet } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { itemsOfAccount } from '../items-of-account.ts';
import type { Epoch, PeerId, StreamName } from '../names.ts';
import { CURSOR_PREFIX, cursorKey } from '../table-keys.ts';
import { createLogStore } from './log-store.ts';
import { SCHEMA } from './stored-stream.ts';

export interface ReadUpTo {
  readonly stream: StreamName;
  readonly epoch: Epoch;
  readonly seq: number;
}

/** How far peers have read. */
export function createCursorStore(services: Pick<Services, 'config' | 'documents' | 'clock'>) {
  const { config, documents, clock } = services;
  const logs = createLogStore(services);

  return {
    /**
     * Keeps how far a peer has read. It never goes back within an epoch; what can't be, such as a seq beyond the head, is
     * ignored.
     */
    async advance(uid: Uid, peerId: PeerId, { stream: name, epoch, seq }: ReadUpTo): Promise<void> {
      const stream = await logs.readStream(uid, name);
      if (stream?.epoch !== epoch || seq > stream.head) return;
      const client = await documents();
      const isKept = await wasConditionMet(() =>
        client.update({
          TableName: config.tables.relay,
          Key: cursorKey(uid, peerId, name),
          UpdateExpression: 'SET epoch = :epoch, seq = :seq, acked_at = :now, #schema = :schema',
          ConditionExpression: 'attribute_not_exists(seq) OR epoch <> :epoch OR seq < :seq',
          ExpressionAttributeNames: { '#schema': 'schema' },
          ExpressionAttributeValues: { ':epoch': epoch, ':seq': seq, ':now': clock.now(), ':schema': SCHEMA },
        }),
      );
      if (!isKept) return;
      // Deleted meanwhile, maybe with the account: then nobody else would remove it.
      if ((await logs.readStream(uid, name)) === undefined) {
        await client.delete({ TableName: config.tables.relay, Key: cursorKey(uid, peerId, name) });
      }
    },

    /** Forgets what peers have read of a stream that is deleted. */
    async removeOf(uid: Uid, stream: StreamName): Promise<void> {
      const client = await documents();
      const cursors = { prefix: CURSOR_PREFIX, mayBeStale: true };
      for await (const { partition, record } of itemsOfAccount(services, uid, cursors)) {
        if (!String(record).endsWith(`#${stream}`)) continue;
        await client.delete({ TableName: config.tables.relay, Key: { partition, record } });
      }
    },
  };
}
