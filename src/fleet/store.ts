import * as z from 'zod';
import { isoTime } from '../platform/clock.ts';
import { type AliveCheck, failedCondition, type TransactItems, transactWrite } from '../platform/dynamo.ts';
import type { HwId, Serial, Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { updateExpression } from '../platform/update-expression.ts';
import { type AuditEntry, type StoredAuditEntry, storedEntry } from './audit.ts';
import { type Device, fleetStateOf, LAST_SERIAL_NUMBER, StoredHwId } from './device.ts';
import { countingActions } from './fleet-counts.ts';
import type { Transition } from './lifecycle.ts';
import { personOf } from './person.ts';
import {
  OWNED_PREFIX,
  type OwnedDevice,
  SCHEMA,
  toAuditEntry,
  toDevice,
  toNamedPerson,
  toOwned,
} from './stored-items.ts';

const AUDIT_PREFIX = 'audit#';
/** A user's partition of their own, apart from their records: its key names nobody. */
const personKey = (person: string, hwId: HwId | undefined) => ({
  uid: `person#${person}`,
  record: `device#${hwId ?? ''}`,
});
const COUNTER_KEY = { hw_id: '#serial-counter', record: 'counter' } as const;
export interface OwnedPage {
  readonly devices: readonly OwnedDevice[];
  /** The record after which the next page begins. */
  readonly next?: string;
}

export type TransitionWrite =
  | { readonly written: true }
  | { readonly written: false; readonly account: 'deleted' }
  /** Somebody was faster: the device as it now stands. */
  | { readonly written: false; readonly account: 'alive'; readonly device: Device | undefined };

export interface AuditPage {
  readonly entries: readonly StoredAuditEntry[];
  readonly next?: string;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** Every DynamoDB access of the fleet domain: `provisioning`, and the owners' lists in `users`. */
export function createFleetStore({ config, documents, randomness }: Needed) {
  const { provisioning, users } = config.tables;
  const deviceKey = (hwId: HwId | '#nobody') => ({ hw_id: hwId, record: 'device' });
  const ownedKey = (uid: Uid, serial: Serial) => ({ uid, record: `${OWNED_PREFIX}${serial}` });

  const auditAction = (hwId: HwId, revision: number, entry: AuditEntry, time: string): TransactItems[number] => ({
    Put: {
      TableName: provisioning,
      Item: {
        hw_id: hwId,
        record: `${AUDIT_PREFIX}${String(revision).padStart(9, '0')}`,
        ...storedEntry(entry, time),
        schema: SCHEMA,
      },
    },
  });
  const gained = (device: Device, uid: Uid, time: string): TransactItems => [
    {
      Put: {
        TableName: users,
        Item: {
          ...ownedKey(uid, device.serial),
          serial: device.serial,
          hw_id: device.hwId,
          status: 'active',
          claimed_at: time,
          schema: SCHEMA,
        },
      },
    },
    // Tells who the pseudonym is, for as long as the account exists, and which devices' audits name it.
    { Put: { TableName: users, Item: { ...personKey(personOf(uid), device.hwId), user: uid, schema: SCHEMA } } },
  ];

  const readDevice = async (hwId: HwId | '#nobody'): Promise<Device | undefined> => {
    const { Item: item } = await (await documents()).get({
      TableName: provisioning,
      Key: deviceKey(hwId),
      ConsistentRead: true,
    });
    return item === undefined ? undefined : toDevice(item);
  };

  /** The device with that serial; the index may lag a moment behind the factory, never behind a sale. */
  const findBySerial = async (serial: Serial): Promise<Device | undefined> => {
    const { Items: items = [] } = await (await documents()).query({
      TableName: provisioning,
      IndexName: 'serial-index',
      KeyConditionExpression: 'serial = :serial',
      ExpressionAttributeValues: { ':serial': serial },
      Limit: 1,
    });
    const hwId = StoredHwId.safeParse(items[0]?.['hw_id']);
    // Ownership is never decided on an index: the device itself is read.
    // That of a serial nobody has is looked for just the same, so that the time tells nothing.
    return readDevice(hwId.success ? hwId.data : '#nobody');
  };

  return {
    readDevice,

    findBySerial,

    /** The devices in the order asked for, by their chip where that is known, else by their label. */
    async findAll(
      wanted: readonly { readonly serial: Serial | undefined; readonly hwId: HwId | undefined }[],
    ): Promise<readonly (Device | undefined)[]> {
      return Promise.all(
        wanted.map(async ({ serial, hwId }) => {
          if (hwId !== undefined) return readDevice(hwId);
          return serial === undefined ? undefined : findBySerial(serial);
        }),
      );
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
    async putNewDevice(device: Device, entry: AuditEntry): Promise<boolean> {
      const put: TransactItems[number] = {
        Put: {
          TableName: provisioning,
          Item: {
            ...deviceKey(device.hwId),
            serial: device.serial,
            serial_seq: device.serialNumber,
            status: device.status,
            fleet_status: fleetStateOf(device),
            created_at: device.createdAt,
            updated_at: device.updatedAt,
            claim_code_salt: device.claimCode?.salt,
            claim_code_hash: device.claimCode?.hash,
            metadata: device.metadata,
            public_key: device.publicKey ?? undefined,
            revision: device.revision,
            schema: SCHEMA,
          },
          ConditionExpression: 'attribute_not_exists(hw_id)',
        },
      };
      const outcome = await transactWrite(documents, randomness, [
        put,
        auditAction(device.hwId, device.revision, entry, device.createdAt),
        ...countingActions(provisioning, device.hwId, entry, device.createdAt.slice(0, 10)),
      ]);
      return outcome.committed;
    },

    /**
     * Takes a step in a device's life, with its audit entry, the counts and both owners' lists, or nothing of it.
     *
     * @param aliveCheck for a step that makes somebody the owner: it fails while their account is being deleted
     */
    async commit(step: Transition, aliveCheck: AliveCheck | undefined, now: number): Promise<TransitionWrite> {
      const { device, to, entry } = step;
      const time = isoTime(now);
      const [from, next] = [device.owner?.uid ?? null, to.owner];
      const changesHands = from !== next;
      const change = updateExpression({
        set: {
          status: to.status,
          fleet_status: entry.after.state,
          updated_at: time,
          revision: device.revision + 1,
          ...(next === null || !changesHands ? {} : { owner_uid: next, claimed_at: time }),
        },
        remove: next === null ? ['owner_uid', 'claimed_at'] : [],
      });
      const actions: TransactItems = [
        {
          Update: {
            TableName: provisioning,
            Key: deviceKey(device.hwId),
            UpdateExpression: change.UpdateExpression,
            ConditionExpression: '#revision = :read_revision',
            ExpressionAttributeNames: change.names,
            ExpressionAttributeValues: { ...change.values, ':read_revision': device.revision },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
        ...(next === null || aliveCheck === undefined ? [] : [aliveCheck(next)]),
        auditAction(device.hwId, device.revision + 1, entry, time),
        ...countingActions(provisioning, device.hwId, entry, time.slice(0, 10)),
        ...(from === null || !changesHands
          ? []
          : [{ Delete: { TableName: users, Key: ownedKey(from, device.serial) } }]),
        ...(next === null || !changesHands ? [] : gained(device, next, time)),
      ];
      const outcome = await transactWrite(documents, randomness, actions);
      if (outcome.committed) return { written: true };
      const [onDevice, onAccount] = outcome.reasons;
      if (next !== null && onAccount?.code === 'ConditionalCheckFailed') return { written: false, account: 'deleted' };
      const current = onDevice?.item === undefined ? undefined : toDevice(onDevice.item);
      return { written: false, account: 'alive', device: current };
    },

    /** Newest first. `after` is the record of the last entry of the page before. */
    async listAudit(hwId: HwId, limit: number, after: string | undefined): Promise<AuditPage> {
      const { Items: items = [], LastEvaluatedKey: last } = await (await documents()).query({
        TableName: provisioning,
        KeyConditionExpression: 'hw_id = :hw AND begins_with(#record, :prefix)',
        ExpressionAttributeNames: { '#record': 'record' },
        ExpressionAttributeValues: { ':hw': hwId, ':prefix': AUDIT_PREFIX },
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { hw_id: hwId, record: after } }),
      });
      const entries = items.map(toAuditEntry);
      const next: unknown = last?.['record'];
      return typeof next === 'string' ? { entries, next } : { entries };
    },

    /** The users behind pseudonyms in a device's audit, of those whose accounts exist. */
    async namesOf(persons: readonly string[], hwId: HwId): Promise<ReadonlyMap<string, Uid>> {
      if (persons.length === 0) return new Map();
      const { Responses: found } = await (await documents()).batchGet({
        RequestItems: { [users]: { Keys: persons.map((person) => personKey(person, hwId)) } },
      });
      return new Map((found?.[users] ?? []).map(toNamedPerson));
    },

    /** Forgets who a pseudonym is: what is left of the user in the audit names nobody from now on. */
    async forgetPerson(uid: Uid): Promise<void> {
      const partition = personKey(personOf(uid), undefined).uid;
      for (;;) {
        const { Items: items = [] } = await (await documents()).query({
          TableName: users,
          KeyConditionExpression: 'uid = :person',
          ExpressionAttributeValues: { ':person': partition },
          ConsistentRead: true,
          Limit: 25,
        });
        if (items.length === 0) return;
        for (const item of items) {
          await (await documents()).delete({ TableName: users, Key: { uid: partition, record: item['record'] } });
        }
      }
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
