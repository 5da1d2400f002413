import pMap from 'p-map';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { itemsOfAccount } from '../items-of-account.ts';
import { isStreamName, type StreamName } from '../names.ts';
import { eventsKey, LOG_PREFIX, logKey, markKey, newestKey } from '../table-keys.ts';
import type { LogRef } from './log-store.ts';

const ITEMS_AT_ONCE = 500;
const DELETIONS_AT_ONCE = 25;

type Needed = Pick<Services, 'config' | 'documents'>;

/** Removes logs with all that belongs to them. Every step can be repeated after a crash. */
export function createLogRemoval({ config, documents }: Needed) {
  const TableName = config.tables.relay;

  /** @returns false when the time was up before everything was removed */
  const removePartition = async (partition: string, isTimeUp: () => boolean): Promise<boolean> => {
    const client = await documents();
    for (;;) {
      const { Items: items = [] } = await client.query({
        TableName,
        KeyConditionExpression: '#partition = :partition',
        ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
        ExpressionAttributeValues: { ':partition': partition },
        ProjectionExpression: '#record',
        ConsistentRead: true,
        Limit: ITEMS_AT_ONCE,
      });
      if (items.length === 0) return true;
      if (isTimeUp()) return false;
      const remove = ({ record }: Record<string, unknown>) => client.delete({ TableName, Key: { partition, record } });
      await pMap(items, remove, { concurrency: DELETIONS_AT_ONCE });
    }
  };

  return {
    /** The account's logs by their markers, those of deleted streams too, of one stream if given. */
    async list(uid: Uid, stream?: StreamName): Promise<readonly LogRef[]> {
      const prefix = stream === undefined ? LOG_PREFIX : `${LOG_PREFIX}${stream}#`;
      const found: LogRef[] = [];
      for await (const { record } of itemsOfAccount({ config, documents }, uid, { prefix })) {
        const [name = '', logId = ''] = String(record).slice(LOG_PREFIX.length).split('#');
        if (isStreamName(name)) found.push({ name, logId });
      }
      return found;
    },

    /**
     * Removes a log's events and then its marker.
     *
     * @returns false when the time was up first; then it has to be repeated
     */
    async remove(uid: Uid, { name, logId }: LogRef, isTimeUp: () => boolean = () => false): Promise<boolean> {
      const partitions = [
        eventsKey(uid, name, logId, 0).partition,
        newestKey(uid, name, logId, '').partition,
        markKey(uid, name, logId, '').partition,
      ];
      for (const partition of partitions) {
        if (!(await removePartition(partition, isTimeUp))) return false;
      }
      await (await documents()).delete({ TableName, Key: logKey(uid, name, logId) });
      return true;
    },
  };
}
