import * as z from 'zod';
import { isoTime } from '../platform/clock.ts';
import { type AliveCheck, failedCondition, transactWrite } from '../platform/dynamo.ts';
import type { HwId, Serial, Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { type Device, LAST_SERIAL_NUMBER, StoredHwId } from './device.ts';
import { OWNED_PREFIX, type OwnedDevice, SCHEMA, toDevice, toOwned } from './stored-items.ts';

const COUNTER_KEY = { hw_id: '#serial-counter', record: 'counter' } as const;
export interface OwnedPage {
  readonly devices: readonly OwnedDevice[];
  /** The record after which the next page begins. */
  readonly next?: string;
}

export type ClaimWrite =
  | { readonly written: true }
  | { readonly written: false; readonly account: 'deleted' }
  | { readonly written: false; readonly account: 'alive'; readonly device: Device | undefined };

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** Every DynamoDB access of the fleet domain: `provisioning`, and the owners' lists in `users`. */
export function createFleetStore({ config, documents, randomness }: Needed) {
  const { provisioning, users } = config.tables;
  const deviceKey = (hwId: HwId) => ({ hw_id: hwId, record: 'device' });
  const ownedKey = (uid: Uid, serial: Serial) => ({ uid, record: `${OWNED_PREFIX}${serial}` });

  const readDevice = async (hwId: HwId): Promise<Device | undefined> => {
    const { Item: item } = await (await documents()).get({
      TableName: provisioning,
      Key: deviceKey(hwId),
      ConsistentRead: true,
    });
    return item === undefined ? undefined : toDevice(item);
  };

  return {
    readDevice,

    /** The device with that serial; the index may lag a moment behind the factory, never behind a sale. */
    async findBySerial(serial: Serial): Promise<Device | undefined> {
      const { Items: items = [] } = await (await documents()).query({
        TableName: provisioning,
        IndexName: 'serial-index',
        KeyConditionExpression: 'serial = :serial',
        ExpressionAttributeValues: { ':serial': serial },
        Limit: 1,
      });
      const hwId = StoredHwId.safeParse(items[0]?.['hw_id']);
      // Ownership is never decided on an index: the device itself is read.
      return hwId.success ? readDevice(hwId.data) : undefined;
    },

    /** Takes the next serial number, atomically; undefined when all six-digit numbers are used up. */
    async takeSerialNumber(): Promise<number | undefined> {
      try {
        const { Attributes: counter } = await (await documents()).update({
          TableName: provisioning,
          Key: COUNTER_KEY,
          UpdateExpression: 'ADD last_number :one SET #schema = :schema',
          ConditionExpression: 'attribute_not_exists(last_number) OR last_number < :last',
          ExpressionAttributeNames: { '#schema': 'schema' },
          ExpressionAttributeValues: { ':one': 1, ':last': LAST_SERIAL_NUMBER, ':schema': SCHEMA },
          ReturnValues: 'UPDATED_NEW',
        });
        return z.object({ last_number: z.number() }).parse(counter).last_number;
      } catch (error) {
        if (failedCondition(error) !== undefined) return undefined;
        throw error;
      }
    },

    /** Stores a new device; false when one with that hardware id is there already, which is then left as it is. */
    async putNewDevice(device: Device): Promise<boolean> {
      try {
        await (await documents()).put({
          TableName: provisioning,
          Item: {
            ...deviceKey(device.hwId),
            serial: device.serial,
            serial_seq: device.serialNumber,
            status: device.status,
            created_at: device.createdAt,
            updated_at: device.updatedAt,
            claim_code_salt: device.claimCode?.salt,
            claim_code_hash: device.claimCode?.hash,
            metadata: device.metadata,
            public_key: device.publicKey ?? undefined,
            schema: SCHEMA,
          },
          ConditionExpression: 'attribute_not_exists(hw_id)',
        });
        return true;
      } catch (error) {
        if (failedCondition(error) !== undefined) return false;
        throw error;
      }
    },

    /** Makes the user the owner if the device is free and active: device and list change together or not at all. */
    async claim(device: Device, uid: Uid, aliveCheck: AliveCheck, now: number): Promise<ClaimWrite> {
      const claimedAt = isoTime(now);
      const outcome = await transactWrite(documents, randomness, [
        {
          Update: {
            TableName: provisioning,
            Key: deviceKey(device.hwId),
            UpdateExpression: 'SET owner_uid = :uid, claimed_at = :now, updated_at = :now',
            ConditionExpression: 'serial = :serial AND #status = :active AND attribute_not_exists(owner_uid)',
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: {
              ':uid': uid,
              ':now': claimedAt,
              ':active': 'active',
              ':serial': device.serial,
            },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
        {
          Put: {
            TableName: users,
            Item: {
              ...ownedKey(uid, device.serial),
              serial: device.serial,
              hw_id: device.hwId,
              status: 'active',
              claimed_at: claimedAt,
              schema: SCHEMA,
            },
          },
        },
        aliveCheck(uid),
      ]);
      if (outcome.committed) return { written: true };
      const [onDevice, , onAccount] = outcome.reasons;
      if (onAccount?.code === 'ConditionalCheckFailed') return { written: false, account: 'deleted' };
      const current = onDevice?.item === undefined ? undefined : toDevice(onDevice.item);
      return { written: false, account: 'alive', device: current };
    },

    /** Takes the ownership away if it still is that user's; both sides of it together. */
    async release(owned: Pick<OwnedDevice, 'hwId' | 'serial'>, uid: Uid, reason: string | undefined, now: number) {
      const outcome = await transactWrite(documents, randomness, [
        {
          Update: {
            TableName: provisioning,
            Key: deviceKey(owned.hwId),
            UpdateExpression:
              reason === undefined
                ? 'SET updated_at = :now REMOVE owner_uid, claimed_at, release_reason'
                : 'SET updated_at = :now, release_reason = :reason REMOVE owner_uid, claimed_at',
            ConditionExpression: 'owner_uid = :uid AND #status = :active',
            ExpressionAttributeNames: { '#status': 'status' },
            ExpressionAttributeValues: {
              ':uid': uid,
              ':now': isoTime(now),
              ':active': 'active',
              ...(reason === undefined ? {} : { ':reason': reason }),
            },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
        { Delete: { TableName: users, Key: ownedKey(uid, owned.serial) } },
      ]);
      if (outcome.committed) return { released: true } as const;
      const item = outcome.reasons[0]?.item;
      return { released: false, device: item === undefined ? undefined : toDevice(item) } as const;
    },

    async readOwned(uid: Uid, serial: Serial): Promise<OwnedDevice | undefined> {
      const { Item: item } = await (await documents()).get({
        TableName: users,
        Key: ownedKey(uid, serial),
        ConsistentRead: true,
      });
      return item === undefined ? undefined : toOwned(item);
    },

    async listOwned(uid: Uid, limit: number, after: string | undefined): Promise<OwnedPage> {
      const { Items: items = [], LastEvaluatedKey: last } = await (await documents()).query({
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

    /** Drops an entry of an owner's list whose device is not theirs any more. */
    async dropOwned(uid: Uid, serial: Serial): Promise<void> {
      await (await documents()).delete({ TableName: users, Key: ownedKey(uid, serial) });
    },
  };
}

export type FleetStore = ReturnType<typeof createFleetStore>;
