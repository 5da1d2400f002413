import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { type AliveCheck, failedCondition, type TransactItems, transactWrite } from '../../platform/aws/dynamo.ts';
import { updateExpression } from '../../platform/aws/update-expression.ts';
import { isoTime } from '../../platform/clock.ts';
import { type HwId, isHwId, type Serial, type Uid } from '../../platform/ids.ts';
import { createWhileOvertaken } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import { fields, number } from '../../platform/shapes.ts';
import { type AuditEntry, storedEntry } from '../audit/audit.ts';
import { createAuditTrail } from '../audit/audit-trail.ts';
import { type CountedDevice, countingActions } from '../overview/fleet-counts.ts';
import { createOwnerLists } from '../ownership/owner-lists.ts';
import { type Device, type HashedCode, LAST_SERIAL_NUMBER } from './device.ts';
import type { Personal, Transition } from './lifecycle.ts';
import { personOf } from './person.ts';
import { createSerialNumbers, type TakeNumbers } from './serial-numbers.ts';
import { AUDIT_PREFIX, FORMER_PREFIX, fromChanges, OWNED_PREFIX, personKey, SCHEMA, toDevice } from './stored-items.ts';

const FIRST_REVISION = 1;
const COUNTER_KEY = { hw_id: '#serial-counter', record: 'counter' } as const;

export type TransitionWrite =
  | { readonly written: true }
  | { readonly written: false; readonly account: 'deleted' }
  /** Another change came first: the device as it is now. */
  | { readonly written: false; readonly account: 'alive'; readonly device: Device | undefined };

type Needed = Pick<Services, 'config' | 'documents' | 'randomness'>;

/** Every DynamoDB access of the fleet domain: `provisioning`, and the owners' lists in `users`. */
export function createFleetStore(services: Needed) {
  const { config, documents, randomness } = services;
  const { provisioning, users } = config.tables;
  const deviceKey = (hwId: HwId | '#nobody') => ({ hw_id: hwId, record: 'device' });
  const formerKey = (uid: Uid, serial: Serial) => ({ uid, record: `${FORMER_PREFIX}${serial}` });
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
  const gained = (device: Device, uid: Uid, personal: Personal, time: string): TransactItems => [
    {
      Put: {
        TableName: users,
        Item: {
          ...ownedKey(uid, device.serial),
          serial: device.serial,
          hw_id: device.hwId,
          status: 'active',
          claimed_at: time,
          ...personal,
          schema: SCHEMA,
        },
      },
    },
    // Maps the pseudonym to the user while the account exists, and lists the devices whose audits mention it.
    { Put: { TableName: users, Item: { ...personKey(personOf(uid), device.hwId), user: uid, schema: SCHEMA } } },
  ];

  const updateDevice = ({ device, to, changes = {} }: Transition, time: string): TransactItems[number] => {
    const changesHands = (device.owner?.uid ?? null) !== to.owner;
    // An offer to the next owner is void once the device has another owner.
    const other = fromChanges(changesHands ? { ...changes, transfer: null } : changes);
    const change = updateExpression({
      set: {
        status: to.status,
        // A claim leaves the index alone: moving a device within it costs as much as the device's own write.
        fleet_status: to.status,
        updated_at: time,
        revision: device.revision + 1,
        ...(to.owner === null || !changesHands ? {} : { owner_uid: to.owner, claimed_at: time }),
        ...other.set,
      },
      remove: [
        ...(to.owner === null ? ['owner_uid', 'claimed_at'] : changesHands ? ['claim_code_untold'] : []),
        ...other.remove,
      ],
    });
    return {
      Update: {
        TableName: provisioning,
        Key: deviceKey(device.hwId),
        UpdateExpression: change.UpdateExpression,
        ConditionExpression: '#revision = :read_revision',
        ExpressionAttributeNames: change.names,
        ExpressionAttributeValues: { ...change.values, ':read_revision': device.revision },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    };
  };

  const readDevice = async (
    hwId: HwId | '#nobody',
    { mayBeStale = false }: { readonly mayBeStale?: boolean } = {},
  ): Promise<Device | undefined> => {
    const { Item: item } = await (await documents()).get({
      TableName: provisioning,
      Key: deviceKey(hwId),
      ConsistentRead: !mayBeStale,
    });
    return item === undefined ? undefined : toDevice(item);
  };

  /** The device with that serial; the index may lag slightly behind the factory, never behind a sale. */
  const findBySerial = async (serial: Serial, how?: { readonly mayBeStale: boolean }): Promise<Device | undefined> => {
    const { Items: items = [] } = await (await documents()).query({
      TableName: provisioning,
      IndexName: 'serial-index',
      KeyConditionExpression: 'serial = :serial',
      ExpressionAttributeValues: { ':serial': serial },
      Limit: 1,
    });
    const found: unknown = items[0]?.['hw_id'];
    // Ownership is never decided on an index, so the device itself is read. An unknown serial costs a read too, so that
    // timing reveals nothing.
    return readDevice(typeof found === 'string' && isHwId(found) ? found : '#nobody', how);
  };

  const updateCode = async (change: UpdateCommandInput): Promise<boolean> => {
    try {
      await (await documents()).update(change);
      return true;
    } catch (error) {
      if (failedCondition(error) === undefined) throw error;
      return false;
    }
  };

  const takeNumbers: TakeNumbers = async (count) => {
    try {
      const { Attributes: counter } = await (await documents()).update({
        TableName: provisioning,
        Key: COUNTER_KEY,
        UpdateExpression: 'ADD last_number :count SET #schema = :schema',
        ConditionExpression: 'attribute_not_exists(last_number) OR last_number <= :room',
        ExpressionAttributeNames: { '#schema': 'schema' },
        ExpressionAttributeValues: { ':count': count, ':room': LAST_SERIAL_NUMBER - count, ':schema': SCHEMA },
        ReturnValues: 'UPDATED_NEW',
      });
      return fields({ last_number: number })(counter).last_number;
    } catch (error) {
      if (failedCondition(error) !== undefined) return undefined;
      throw error;
    }
  };

  const complete = async (device: Device, toldCode: HashedCode | undefined): Promise<boolean> => {
    const { hwId, serial, status, createdAt, uncountedStation: station } = device;
    if (station === null) return false;
    const entry: AuditEntry = {
      action: 'provision',
      actor: { kind: 'factory', station },
      reason: undefined,
      before: null,
      after: { state: status, owner: null },
      facts: { serial },
    };
    const counting: TransactItems[number] = {
      Update: {
        TableName: provisioning,
        Key: deviceKey(hwId),
        UpdateExpression: `REMOVE uncounted_station${toldCode === undefined ? '' : ', claim_code_untold'}`,
        ConditionExpression: `attribute_exists(uncounted_station)${toldCode === undefined ? '' : ' AND claim_code_hash = :hash'}`,
        ...(toldCode === undefined ? {} : { ExpressionAttributeValues: { ':hash': toldCode.hash } }),
      },
    };
    const outcome = await transactWrite(documents, randomness, [
      counting,
      auditAction(hwId, FIRST_REVISION, entry, createdAt),
      ...countingActions(provisioning, counted(device), entry, createdAt.slice(0, 10), undefined),
    ]);
    return outcome.committed;
  };

  return {
    /** Retries a step from fresh reads while other changes get in between. */
    whileOvertaken: createWhileOvertaken(randomness),
    ...createAuditTrail(services),
    ...createOwnerLists(services),

    /** @param mayBeStale may miss a device stored a moment ago, at half the read cost */
    readDevice,

    findBySerial,

    /**
     * Enters a new device into the counts and the audit, once, before anything else happens to it.
     *
     * @param toldCode the claim code about to be sent to the factory, if any
     * @returns false when that was done already, or the device has another claim code by now
     */
    complete,

    /** For a step's transaction: keeps the name and settings of a device that is being revoked. */
    keepFormer: (uid: Uid, device: Device, { name, settings }: Personal, now: number): TransactItems => [
      {
        Put: {
          TableName: users,
          Item: {
            ...formerKey(uid, device.serial),
            serial: device.serial,
            hw_id: device.hwId,
            revoked_at: isoTime(now),
            name,
            settings,
            schema: SCHEMA,
          },
        },
      },
    ],

    /** For a step's transaction: forgets what was kept for a former owner. */
    dropFormer: (uid: Uid, serial: Serial): TransactItems => [
      { Delete: { TableName: users, Key: formerKey(uid, serial) } },
    ],

    /** For a step's transaction: records an event of another device, whose state and owner stay the same. */
    besides: (step: Transition, now: number): TransactItems => [
      updateDevice(step, isoTime(now)),
      auditAction(step.device.hwId, step.device.revision + 1, step.entry, isoTime(now)),
    ],

    /** The devices in the order requested, by hardware id where known, else by serial. */
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

    /** Takes the next serial number; undefined when all six-digit numbers are used up. */
    takeSerialNumber: createSerialNumbers(takeNumbers),

    /**
     * Stores a new device, marked as not counted yet until `complete` removes the mark. Returns false when a device
     * with that hardware id exists, and leaves it unchanged.
     *
     * It is a separate write because in a transaction the device and each of its indexes would cost twice as much.
     */
    async putNewDevice(device: Device): Promise<boolean> {
      try {
        await (await documents()).put({
          TableName: provisioning,
          Item: {
            ...deviceKey(device.hwId),
            serial: device.serial,
            serial_seq: device.serialNumber,
            status: device.status,
            fleet_status: device.status,
            created_at: device.createdAt,
            updated_at: device.updatedAt,
            claim_code_salt: device.claimCode?.salt,
            claim_code_hash: device.claimCode?.hash,
            claim_code_untold: device.isCodeUntold || undefined,
            uncounted_station: device.uncountedStation ?? undefined,
            metadata: device.metadata,
            public_key: device.publicKey ?? undefined,
            board: device.board,
            batch: device.batch ?? undefined,
            firmware_version: device.firmware?.version,
            firmware_seen_at: device.firmware?.seenAt,
            revision: device.revision,
            schema: SCHEMA,
          },
          ConditionExpression: 'attribute_not_exists(hw_id)',
        });
        return true;
      } catch (error) {
        if (failedCondition(error) === undefined) throw error;
        return false;
      }
    },

    /** Records that this claim code is about to be sent to the factory. False when it has been replaced meanwhile. */
    async markCodeTold(hwId: HwId, code: HashedCode): Promise<boolean> {
      return updateCode({
        TableName: provisioning,
        Key: deviceKey(hwId),
        UpdateExpression: 'REMOVE claim_code_untold',
        ConditionExpression: 'claim_code_hash = :hash',
        ExpressionAttributeValues: { ':hash': code.hash },
      });
    },

    /** Replaces a claim code that was never sent. False when it was sent or replaced meanwhile. */
    async replaceUntoldCode({ hwId, claimCode: old }: Device, code: HashedCode): Promise<boolean> {
      return updateCode({
        TableName: provisioning,
        Key: deviceKey(hwId),
        UpdateExpression:
          code.salt === undefined
            ? 'SET claim_code_hash = :hash REMOVE claim_code_salt'
            : 'SET claim_code_hash = :hash, claim_code_salt = :salt',
        ConditionExpression:
          'claim_code_hash = :old AND attribute_exists(claim_code_untold) AND attribute_not_exists(owner_uid)',
        ExpressionAttributeValues: {
          ':hash': code.hash,
          ':old': old?.hash ?? '',
          ...(code.salt === undefined ? {} : { ':salt': code.salt }),
        },
      });
    },

    /**
     * Takes a step in a device's life, with its audit entry, the counts and both owners' lists: all or nothing.
     *
     * @param aliveCheck for a step that sets an owner: fails while their account is being deleted
     * @param more what else belongs to the step, in the same transaction
     */
    async commit(
      step: Transition,
      aliveCheck: AliveCheck | undefined,
      now: number,
      more: TransactItems = [],
    ): Promise<TransitionWrite> {
      const { device, to, entry, personal = {} } = step;
      // Provisioning was interrupted: the counts must be right before this step changes them.
      if (device.uncountedStation !== null) await complete(device, undefined);
      const time = isoTime(now);
      const [from, next] = [device.owner?.uid ?? null, to.owner];
      const changesHands = from !== next;
      const actions: TransactItems = [
        updateDevice(step, time),
        ...(next === null || aliveCheck === undefined ? [] : [aliveCheck(next)]),
        auditAction(device.hwId, device.revision + 1, entry, time),
        ...countingActions(provisioning, counted(device), entry, time.slice(0, 10), step.changes?.firmware?.version),
        ...(from === null || !changesHands
          ? []
          : [{ Delete: { TableName: users, Key: ownedKey(from, device.serial) } }]),
        ...(next === null || !changesHands ? [] : gained(device, next, personal, time)),
        ...more,
      ];
      const outcome = await transactWrite(documents, randomness, actions);
      if (outcome.committed) return { written: true };
      const [onDevice, onAccount] = outcome.reasons;
      if (next !== null && onAccount?.code === 'ConditionalCheckFailed') return { written: false, account: 'deleted' };
      const current = onDevice?.item === undefined ? undefined : toDevice(onDevice.item);
      return { written: false, account: 'alive', device: current };
    },
  };
}

function counted({ hwId, board, firmware }: Device): CountedDevice {
  return { hwId, board, firmware: firmware?.version };
}

export type FleetStore = ReturnType<typeof createFleetStore>;
