import { removePartition } from '../../platform/aws/dynamodb/remove-partition.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { itemsOfAccount } from '../items-of-account.ts';
import { isStreamName, type StreamName } from '../names.ts';
import { eventsKey, LOG_PREFIX, logKey, markKey, newestKey } from '../table-keys.ts';
import type { LogRef } from './log-store.ts';

type Needed = Pick<Services, 'config' | 'documents'>;

/** Removes logs with all that belongs to them. Every step can be repeated after a crash. */
export function createLogRemoval({ config, documents }: Needed) {
  const TableName = config.tables.relay;

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
      const client = await documents();
      const partitions = [
        eventsKey(uid, name, logId, 0).partition,
        newestKey(uid, name, logId, '').partition,
        markKey(uid, name, logId, '').partition,
      ];
      for (const partition of partitions) {
        if (!(await removePartition(client, { TableName, partition, isTimeUp }))) return false;
      }
      await client.delete({ TableName, Key: logKey(uid, name, logId) });
      return true;
    },
  };
}
