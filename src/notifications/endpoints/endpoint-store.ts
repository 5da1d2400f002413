import { type AliveCheck, transactWrite } from '../../platform/aws/dynamo.ts';
import { isUid, type Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import { accountPartition, ENDPOINT_PREFIX, endpointKey, endpointOwnerKey } from '../table-keys.ts';
import { type Endpoint, fromEndpoint, SCHEMA, toEndpoint } from './endpoint.ts';

/** Browsers forget subscriptions without a word; the oldest gives way to a new one. */
export const MOST_ENDPOINTS = 20;

/** The browsers and apps that take an account's pushes. Each belongs to one account, that of the latest sign-in there. */
export function createEndpointStore({
  config,
  documents,
  randomness,
}: Pick<Services, 'config' | 'documents' | 'randomness'>) {
  const TableName = config.tables.garden;
  const whileOvertaken = createWhileOvertaken(randomness);

  const list = async (uid: Uid): Promise<readonly Endpoint[]> => {
    // At most 21 items of 1 KB: always one page.
    const { Items: items } = await (await documents()).query({
      TableName,
      KeyConditionExpression: '#partition = :account AND begins_with(#record, :prefix)',
      ExpressionAttributeNames: { '#partition': 'partition', '#record': 'record' },
      ExpressionAttributeValues: { ':account': accountPartition(uid), ':prefix': ENDPOINT_PREFIX },
      ConsistentRead: true,
    });
    return items.map(toEndpoint).sort((a, b) => a.createdAt - b.createdAt);
  };

  const ownerOf = async (endpointId: string): Promise<Uid | undefined> => {
    const { Item: item } = await (await documents()).get({
      TableName,
      Key: endpointOwnerKey(endpointId),
      ConsistentRead: true,
    });
    const uid: unknown = item?.['uid'];
    return typeof uid === 'string' && isUid(uid) ? uid : undefined;
  };

  /** Removes both items, unless the endpoint belongs to somebody else by now: then only the account's own. */
  const remove = async (uid: Uid, endpointId: string): Promise<void> => {
    const owned = await ownerOf(endpointId);
    await transactWrite(documents, randomness, [
      { Delete: { TableName, Key: endpointKey(uid, endpointId) } },
      ...(owned === uid
        ? [
            {
              Delete: {
                TableName,
                Key: endpointOwnerKey(endpointId),
                ConditionExpression: 'attribute_not_exists(uid) OR uid = :uid',
                ExpressionAttributeValues: { ':uid': uid },
              },
            },
          ]
        : []),
    ]);
  };

  return {
    /** Oldest first. */
    list,
    remove,

    /**
     * Adds or replaces; another account that had it loses it.
     *
     * @returns those that had to give way to it; undefined while the account is being deleted
     */
    async put(uid: Uid, endpoint: Endpoint, isAlive: AliveCheck): Promise<readonly Endpoint[] | undefined> {
      const { endpointId } = endpoint;
      const isPut = await whileOvertaken('a subscription', async () => {
        const former = await ownerOf(endpointId);
        const outcome = await transactWrite(documents, randomness, [
          isAlive(uid),
          {
            Put: {
              TableName,
              Item: { ...endpointOwnerKey(endpointId), uid, schema: SCHEMA },
              ...(former === undefined
                ? { ConditionExpression: 'attribute_not_exists(uid)' }
                : { ConditionExpression: 'uid = :former', ExpressionAttributeValues: { ':former': former } }),
            },
          },
          { Put: { TableName, Item: { ...endpointKey(uid, endpointId), ...fromEndpoint(endpoint) } } },
          ...(former === undefined || former === uid
            ? []
            : [{ Delete: { TableName, Key: endpointKey(former, endpointId) } }]),
        ]);
        if (outcome.committed) return true;
        return outcome.reasons[0]?.code === 'ConditionalCheckFailed' ? false : OVERTAKEN;
      });
      if (!isPut) return undefined;
      const all = await list(uid);
      const others = all.filter((one) => one.endpointId !== endpointId);
      const oldest = others.slice(0, Math.max(0, all.length - MOST_ENDPOINTS));
      for (const { endpointId: id } of oldest) await remove(uid, id);
      return oldest;
    },
  };
}

export type EndpointStore = ReturnType<typeof createEndpointStore>;
