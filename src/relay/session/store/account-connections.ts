import pMap from 'p-map';
import type { Uid } from '../../../platform/ids.ts';
import type { Services } from '../../../platform/services.ts';
import { fields, optional, setOf, textThat } from '../../../platform/shapes.ts';
import type { Connections } from '../../delivery/connections.ts';
import { isConnectionId } from '../../names.ts';
import { accountPartition, CONNECTS_PREFIX } from '../../table-keys.ts';
import type { ConnectionStore } from './connection-store.ts';

/** Of at most five connections each. */
const PAGE = 100;
const AT_ONCE = 25;

const storedConnects = fields({ connection_ids: optional(setOf(textThat(isConnectionId, 'the id of a connection'))) });

/** All connections that an account has opened, also those that never had a session or whose end was not told. */
export function createAccountConnections(
  { config, documents }: Pick<Services, 'config' | 'documents'>,
  records: Pick<ConnectionStore, 'remove'>,
  gateway: Pick<Connections, 'close'>,
) {
  const TableName = config.tables.relay;

  return {
    /**
     * Forgets the account's connections, and closes those that are open. Can be repeated after a failure. It finds all of
     * them once no new one is accepted.
     */
    async removeAll(uid: Uid): Promise<void> {
      const client = await documents();
      for (;;) {
        const { Items: items } = await client.query({
          TableName,
          KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
          ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
          ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': CONNECTS_PREFIX },
          ConsistentRead: true,
          Limit: PAGE,
        });
        if (items.length === 0) return;
        const named = items.flatMap((item) => [...(storedConnects(item).connection_ids ?? [])]);
        await pMap(
          named,
          async (connectionId) => {
            if ((await records.remove(connectionId)) !== undefined) await gateway.close(connectionId);
          },
          { concurrency: AT_ONCE },
        );
        // After the records that only they name.
        await pMap(items, ({ partition, record }) => client.delete({ TableName, Key: { partition, record } }), {
          concurrency: AT_ONCE,
        });
      }
    },
  };
}

export type AccountConnections = ReturnType<typeof createAccountConnections>;
