import { failedCondition } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import type { Serial, Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { Personal } from '../device/lifecycle.ts';
import {
  FORMER_PREFIX,
  type FormerDevice,
  OWNED_PREFIX,
  type OwnedDevice,
  toFormer,
  toOwned,
} from '../device/stored-items.ts';

export interface OwnedPage {
  readonly devices: readonly OwnedDevice[];
  /** The record after which the next page begins. */
  readonly next?: string;
}

/** A device that was given back or revoked; no user has more of them to check. */
const MOST_FORMER = 100;

/** The owners' lists in `users`: who owns which devices, with their names and settings. */
export function createOwnerLists({ config, documents }: Pick<Services, 'config' | 'documents'>) {
  const { users } = config.tables;
  const ownedKey = (uid: Uid, serial: Serial) => ({ uid, record: `${OWNED_PREFIX}${serial}` });

  return {
    /** @param how.mayBeStale may miss a change of a moment ago, at half the read cost */
    async readOwned(
      uid: Uid,
      serial: Serial,
      { mayBeStale = false }: { readonly mayBeStale?: boolean } = {},
    ): Promise<OwnedDevice | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName: users,
        Key: ownedKey(uid, serial),
        ConsistentRead: !mayBeStale,
      });
      return item === undefined ? undefined : toOwned(item);
    },

    async listOwned(uid: Uid, limit: number, after: string | undefined): Promise<OwnedPage> {
      const { Items: items, LastEvaluatedKey: last } = await (await documents()).query({
        TableName: users,
        KeyConditionExpression: 'uid = :uid AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':uid': uid, ':prefix': OWNED_PREFIX },
        ConsistentRead: true,
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { uid, record: after } }),
      });
      const devices = items.map(toOwned);
      const next: unknown = last?.['record'];
      return typeof next === 'string' ? { devices, next } : { devices };
    },

    /** Removes an entry whose device no longer belongs to this owner. */
    async dropOwned(uid: Uid, serial: Serial): Promise<void> {
      await (await documents()).delete({ TableName: users, Key: ownedKey(uid, serial) });
    },

    /** Changes a device's name or settings; an empty name removes the name. Undefined when it is not in the list. */
    async updateOwned(uid: Uid, serial: Serial, { name, settings }: Personal): Promise<OwnedDevice | undefined> {
      const change = updateExpression({
        set: {
          ...(name === undefined || name === '' ? {} : { name }),
          ...(settings === undefined ? {} : { settings }),
          schema: 1,
        },
        remove: name === '' ? ['name'] : [],
      });
      try {
        const { Attributes: item } = await (await documents()).update({
          TableName: users,
          Key: ownedKey(uid, serial),
          UpdateExpression: change.UpdateExpression,
          ConditionExpression: 'attribute_exists(serial)',
          ExpressionAttributeNames: change.names,
          ExpressionAttributeValues: change.values,
          ReturnValues: 'ALL_NEW',
        });
        return toOwned(item);
      } catch (error) {
        if (failedCondition(error) !== undefined) return undefined;
        throw error;
      }
    },

    /** What is kept of devices that were revoked while this user owned them. */
    async listFormer(uid: Uid): Promise<readonly FormerDevice[]> {
      const { Items: items } = await (await documents()).query({
        TableName: users,
        KeyConditionExpression: 'uid = :uid AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':uid': uid, ':prefix': FORMER_PREFIX },
        ConsistentRead: true,
        Limit: MOST_FORMER,
      });
      return items.map(toFormer);
    },
  };
}
